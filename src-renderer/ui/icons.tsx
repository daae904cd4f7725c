import type { JSX } from 'react'

/** Every drawing of the window, on a grid of 16. Decorative: the word beside it carries the meaning. */
const SHAPES = {
  bottle: (
    <path d="M6 1.500h4M6.500 1.500v3L4.500 7v6A1.500 1.500 0 0 0 6 14.500h4a1.500 1.500 0 0 0 1.500-1.500V7l-2-2.500v-3M4.500 9.500h7" />
  ),
  agent: (
    <>
      <rect x="2.500" y="5" width="11" height="8.500" rx="2.500" />
      <path d="M8 2.200V5M5.800 8.500v1.400M10.200 8.500v1.400M1 8.500v2M15 8.500v2" />
    </>
  ),
  engine: (
    <>
      <rect x="2" y="2.500" width="12" height="4.500" rx="1.200" />
      <rect x="2" y="9" width="12" height="4.500" rx="1.200" />
      <path d="M4.600 4.750h.01M4.600 11.250h.01" strokeWidth="2.200" />
    </>
  ),
  activity: <path d="M1.500 8h3l2-5 3 10 2-5h3" />,
  trash: (
    <path d="M2.500 4h11M6 4V2.500h4V4M4 4l.6 9a1 1 0 0 0 1 .9h4.800a1 1 0 0 0 1-.9L12 4M6.600 6.800v4.400M9.400 6.800v4.400" />
  ),
  settings: (
    <>
      <path d="M2 4.500h6.500M12.500 4.500H14M2 11.500h1.500M7.500 11.500H14" />
      <circle cx="10.500" cy="4.500" r="2" />
      <circle cx="5.500" cy="11.500" r="2" />
    </>
  ),
  search: (
    <>
      <circle cx="7" cy="7" r="4.500" />
      <path d="M10.500 10.500L14 14" />
    </>
  ),
  plus: <path d="M8 3v10M3 8h10" />,
  close: <path d="M4 4l8 8M12 4l-8 8" />,
  check: <path d="M3 8.500l3.200 3.200L13 5" />,
  snow: (
    <path
      d="M8.00 1.40L8.00 14.60M13.72 4.70L2.28 11.30M13.72 11.30L2.28 4.70M5.99 2.67L8.00 4.10L10.01 2.67M11.62 3.59L11.38 6.05L13.62 7.07M13.62 8.93L11.38 9.95L11.62 12.41M10.01 13.33L8.00 11.90L5.99 13.33M4.38 12.41L4.62 9.95L2.38 8.93M2.38 7.07L4.62 6.05L4.38 3.59"
      strokeWidth="1.3"
    />
  ),
  play: <path className="solid" d="M5 3.200v9.600l7.800-4.800z" />,
  stop: <rect className="solid" x="4" y="4" width="8" height="8" rx="1" />,
  pause: <path d="M5.500 3.500v9M10.500 3.500v9" strokeWidth="2.600" />,
  waiting: <path d="M8 2.500v7M8 13h.01" strokeWidth="2.400" />,
  locked: (
    <>
      <rect x="3.500" y="7" width="9" height="6.500" rx="1.500" />
      <path d="M5.500 7V5a2.500 2.500 0 0 1 5 0v2" />
    </>
  ),
  hourglass: <path d="M4 2h8M4 14h8M5 2v2.500L8 8l3-3.500V2M5 14v-2.500L8 8l3 3.500V14" />,
  minus: <path d="M3.500 8h9" strokeWidth="2.200" />,
  heart: <path d="M1.500 8.500h3l1.500-3 2.500 6 1.800-4.500.7 1.500h3.500" />,
  send: <path d="M2.500 8L13.500 2.800 10.500 13.200 7.600 9.200zM7.600 9.200l5.900-6.400" />,
  hook: <path d="M9.500 2.500v6.800a3 3 0 1 1-6 0v-1M3.500 8.300l1.800 1.500M9.500 2.500h2M9.500 2.500h-2" />,
  cross: <path d="M4 4l8 8M12 4l-8 8" strokeWidth="2.200" />,
  question: (
    <path
      d="M5.500 6a2.500 2.500 0 1 1 3.600 2.200c-.7.4-1.100.8-1.100 1.600M8 12.800h.01"
      strokeWidth="1.900"
    />
  ),
  busy: <path d="M8 2a6 6 0 1 1-6 6" strokeWidth="2" />,
  restart: <path d="M13 8a5 5 0 1 1-1.500-3.600M13 2v3.200H9.800" />,
  terminal: (
    <>
      <rect x="1.500" y="2.500" width="13" height="11" rx="2" />
      <path d="M4.500 6l2.200 2-2.200 2M8.500 10.500h3" />
    </>
  ),
  logs: <path d="M3 3.500h10M3 6.500h7M3 9.500h10M3 12.500h5" />,
  fork: (
    <>
      <path d="M4.500 4.800v6.400M4.500 9.500c0-2.500 7-1.500 7-4.700" />
      <circle cx="4.500" cy="3.200" r="1.600" />
      <circle cx="4.500" cy="12.800" r="1.600" />
      <circle cx="11.500" cy="3.200" r="1.600" />
    </>
  ),
  more: <path d="M3.500 8h.01M8 8h.01M12.500 8h.01" strokeWidth="2.400" />,
  pin: <path d="M6 2h4l-.5 4.200L12 8.500v1H4v-1l2.500-2.300zM8 9.500V14" />,
  note: <path d="M3 13l.6-2.800 7.200-7.200a1.400 1.400 0 0 1 2 2L5.700 12.300z" />,
  copy: (
    <>
      <rect x="5.500" y="5.500" width="8" height="8" rx="1.500" />
      <path d="M3.500 10.500a1 1 0 0 1-1-1v-6a1 1 0 0 1 1-1h6a1 1 0 0 1 1 1" />
    </>
  ),
  warning: <path d="M8 2.200L14.500 13.500h-13zM8 6.500v3.200M8 11.700h.01" />,
  info: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M8 7.300v3.700M8 5h.01" />
    </>
  ),
  up: <path d="M4 9.500L8 5.500l4 4" />,
  down: <path d="M4 6.500l4 4 4-4" />,
  right: <path d="M6.500 4l4 4-4 4" />,
  left: <path d="M9.500 4l-4 4 4 4" />,
  folder: (
    <path d="M1.800 12.500v-9a1 1 0 0 1 1-1h3.400l1.600 1.800h5.400a1 1 0 0 1 1 1v7.200a1 1 0 0 1-1 1H2.800a1 1 0 0 1-1-1z" />
  ),
  disk: (
    <>
      <path d="M2 10.500l2-7h8l2 7" />
      <rect x="2" y="9.500" width="12" height="4" rx="1" />
      <path d="M11.500 11.500h.01" strokeWidth="2" />
    </>
  ),
  follow: <path d="M8 2.500v8M4.500 7.500L8 11l3.500-3.500M3 13.500h10" />,
  undo: <path d="M3 6.500h7a3.500 3.500 0 0 1 0 7H6M6 3.500l-3 3 3 3" />,
  export: <path d="M8 10V2.500M4.800 5.500L8 2.300l3.200 3.200M3 9.500v3a1 1 0 0 0 1 1h8a1 1 0 0 0 1-1v-3" />,
  import: <path d="M8 2.300v7.500M4.800 6.800L8 10l3.200-3.200M3 9.500v3a1 1 0 0 0 1 1h8a1 1 0 0 0 1-1v-3" />,
  push: <path d="M8 13.500V6M4.800 9L8 5.800 11.200 9M3 2.700h10" />,
  compare: (
    <>
      <rect x="1.800" y="3" width="5" height="10" rx="1.200" />
      <rect x="9.200" y="3" width="5" height="10" rx="1.200" />
      <path d="M3.500 6.500h1.600M11.700 5.700v1.600M10.900 6.500h1.600" />
    </>
  ),
  thin: <path d="M2.500 3.500h11M4.500 8h7M6.500 12.500h3" />,
  keyboard: (
    <>
      <rect x="1.500" y="4" width="13" height="8.500" rx="1.500" />
      <path
        d="M4.200 6.800h.01M6.700 6.800h.01M9.200 6.800h.01M11.800 6.800h.01M5 9.800h6"
        strokeWidth="1.700"
      />
    </>
  ),
  shield: <path d="M8 1.800l5 1.800v4c0 3.200-2.100 5.500-5 6.600-2.900-1.100-5-3.400-5-6.600v-4z" />,
} as const satisfies Record<string, JSX.Element>

export type IconName = keyof typeof SHAPES

/** One icon in the colour of the text around it. */
export function Icon({ name, className = '' }: { readonly name: IconName; readonly className?: string }) {
  return (
    <svg className={`icon ${className}`} viewBox="0 0 16 16" aria-hidden="true">
      {SHAPES[name]}
    </svg>
  )
}
