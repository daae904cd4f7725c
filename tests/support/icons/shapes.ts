// The drawings behind every icon of the app, on a grid of 16 (tray) and 1024 (app).

const BOTTLE = 'M6.4 1.7v2.9L4.5 7.1v5.7a1.6 1.6 0 0 0 1.6 1.6h3.8a1.6 1.6 0 0 0 1.6-1.6V7.1l-1.9-2.5V1.7'
const CAP = 'M5.7 1.7h4.6'
const LIQUID = 'M4.5 8.6h7v4.2a1.6 1.6 0 0 1-1.6 1.6h-3.8a1.6 1.6 0 0 1-1.6-1.6z'

/** What stands on the badge of a shape, drawn around 0,0 in a circle of radius 4. */
const BADGES: Readonly<Record<string, string>> = {
  waiting: '<path d="M0-2.2v2M0 2.05v.01" stroke-width="1.5"/>',
  working: '<path d="M-2.1 0v.01M0 0v.01M2.1 0v.01" stroke-width="1.5"/>',
  error: '<path d="M-1.5-1.5l3 3M1.5-1.5l-3 3" stroke-width="1.6"/>',
}

/** The tray's shapes: an empty bottle, one with something in it, and with a mark of what goes on. */
export const TRAY = ['idle', 'running', 'waiting', 'working', 'error'] as const
export type TrayName = (typeof TRAY)[number]

/** What the coloured ones stand on, seen on light and dark panels alike. */
const GROUNDS: Readonly<Record<TrayName, string>> = {
  idle: '#5f6f7d',
  running: '#16874c',
  waiting: '#b86a00',
  working: '#0a74b8',
  error: '#c4302a',
}

/** One tray icon: ink on nothing for the Mac, or white on its colour. */
export function trayShape(name: TrayName, kind: 'template' | 'colour'): string {
  const badge = BADGES[name]
  const ink = kind === 'template' ? '#000' : '#fff'
  const glyph = `
    <g stroke-width="1.3">
      <path d="${BOTTLE}"/><path d="${CAP}" stroke-width="1.5"/>
      ${name === 'idle' ? '' : `<path d="${LIQUID}" fill="currentColor" stroke="none"/>`}
    </g>`
  const cut = badge
    ? `<mask id="cut" maskUnits="userSpaceOnUse" x="0" y="0" width="16" height="16">
        <rect width="16" height="16" fill="#fff"/><circle cx="11.4" cy="11.4" r="5.3" fill="#000"/></mask>
       <mask id="disc" maskUnits="userSpaceOnUse" x="0" y="0" width="16" height="16">
        <circle cx="11.4" cy="11.4" r="4.2" fill="#fff"/>
        <g transform="translate(11.4 11.4)" stroke="#000" color="#000" stroke-linecap="round">${badge}</g></mask>`
    : ''
  const drawing = `
    <defs>${cut}</defs>
    <g fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round">
      <g ${badge ? 'mask="url(#cut)"' : ''}>${glyph}</g>
      ${badge ? '<rect width="16" height="16" fill="currentColor" stroke="none" mask="url(#disc)"/>' : ''}
    </g>`
  if (kind === 'template')
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" color="${ink}">${drawing}</svg>`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">
    <rect x="1" y="1" width="22" height="22" rx="6" fill="${GROUNDS[name]}"/>
    <svg x="3" y="3" width="18" height="18" viewBox="0 0 16 16" color="${ink}">${drawing}</svg></svg>`
}

/** One arm of the snowflake, upwards from 0,0; length 1. */
const ARM = '<path d="M0 0V-1M0-.58l-.27-.25M0-.58l.27-.25"/>'

function snowflake(x: number, y: number, size: number, width: number): string {
  const arms = [0, 60, 120, 180, 240, 300].map((turn) => `<g transform="rotate(${turn})">${ARM}</g>`).join('')
  return `<g transform="translate(${x} ${y}) scale(${size})" stroke-width="${width / size}">${arms}</g>`
}

/** The app's icon: a frozen bottle on ice. Small ones keep only what can still be read. */
export function appShape(pixels: number): string {
  const isSmall = pixels <= 48
  const inset = isSmall ? 32 : 100
  const side = 1024 - 2 * inset
  const radius = side * 0.225
  const bottle =
    'M430 262v120c0 26-12 46-34 66-44 40-64 76-64 128v148c0 54 36 90 90 90h180c54 0 90-36 90-90V576c0-52-20-88-64-128-22-20-34-40-34-66V262'
  const glyph = isSmall
    ? snowflake(512, 512, 350, pixels <= 24 ? 74 : 60)
    : `<path d="${bottle}" fill="url(#glass)" stroke-width="40"/>
       <path d="M404 250h216" stroke-width="56"/>
       ${snowflake(512, 634, 138, 25)}`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1024 1024">
    <defs>
      <linearGradient id="ice" x1="0" y1="0" x2="0.6" y2="1">
        <stop offset="0" stop-color="#63cbfa"/><stop offset="0.55" stop-color="#1c8fd6"/><stop offset="1" stop-color="#0a5c9c"/>
      </linearGradient>
      <linearGradient id="glass" x1="0" y1="0" x2="0" y2="1">
        <stop offset="0" stop-color="#fff" stop-opacity="0.05"/><stop offset="1" stop-color="#fff" stop-opacity="0.28"/>
      </linearGradient>
      <linearGradient id="shine" x1="0" y1="0" x2="0" y2="1">
        <stop offset="0" stop-color="#fff" stop-opacity="0.3"/><stop offset="0.5" stop-color="#fff" stop-opacity="0"/>
      </linearGradient>
      <filter id="fall" x="-20%" y="-20%" width="140%" height="140%">
        <feDropShadow dx="0" dy="10" stdDeviation="12" flood-color="#05233c" flood-opacity="0.32"/>
      </filter>
      <filter id="lift" x="-20%" y="-20%" width="140%" height="140%">
        <feDropShadow dx="0" dy="6" stdDeviation="8" flood-color="#053a66" flood-opacity="0.35"/>
      </filter>
    </defs>
    <g ${isSmall ? '' : 'filter="url(#fall)"'}>
      <rect x="${inset}" y="${inset}" width="${side}" height="${side}" rx="${radius}" fill="url(#ice)"/>
    </g>
    <rect x="${inset}" y="${inset}" width="${side}" height="${side}" rx="${radius}" fill="url(#shine)"/>
    <g fill="none" stroke="#fff" stroke-linecap="round" stroke-linejoin="round" ${isSmall ? '' : 'filter="url(#lift)"'}>
      ${glyph}
    </g></svg>`
}
