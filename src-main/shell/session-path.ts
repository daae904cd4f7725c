/** Where programs of engines and agents lie that a session's own PATH does not name. */
const FOLDERS = {
  darwin: [
    '/opt/homebrew/bin',
    '/usr/local/bin',
    '/opt/local/bin',
    '~/.orbstack/bin',
    '~/.docker/bin',
    '~/.local/bin',
  ],
  linux: ['/usr/local/bin', '/snap/bin', '~/.local/bin', '~/bin'],
} as const

/**
 * The PATH of an app that was opened from a dock or a menu, where no shell has read its profile: what is there, and
 * after it the usual folders. Pure.
 */
export function sessionPath(path: string | undefined, home: string, platform: NodeJS.Platform): string {
  const known = (path ?? '/usr/bin:/bin').split(':').filter(Boolean)
  const usual = platform === 'darwin' || platform === 'linux' ? FOLDERS[platform] : []
  const added = usual.map((folder) => (folder.startsWith('~/') ? `${home}${folder.slice(1)}` : folder))
  return [...new Set([...known, ...added])].join(':')
}
