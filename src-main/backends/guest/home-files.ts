import { posix } from 'node:path'
import { bottleError } from '../../system/bottle-error.ts'
import type { PackEntry } from './pack-entry.ts'
import { shellQuote } from './shell-quote.ts'

/** Path relative to HOME → text. */
export type HomeFiles = Readonly<Record<string, string>>

/** Pure: folders and files as archive entries, parents first. @throws BottleError for a path that leads out of HOME */
export function homeEntries(files: HomeFiles): PackEntry[] {
  const names = Object.keys(files).sort()
  const folders = new Set<string>()
  for (const name of names) for (const folder of foldersOf(cleanName(name))) folders.add(folder)
  return [
    ...[...folders].sort().map((name): PackEntry => ({ type: 'directory', name, mode: 0o755 })),
    ...names.map((name): PackEntry => {
      return { type: 'file', name: cleanName(name), mode: 0o644, content: files[name] ?? '' }
    }),
  ]
}

function cleanName(name: string): string {
  const clean = posix.normalize(name)
  if (clean.startsWith('../') || clean.startsWith('/') || clean === '..') {
    throw bottleError('manifest-invalid', `${name} leads out of the agent's home folder.`)
  }
  return clean
}

/** Parents of a relative path, outermost first. */
function foldersOf(name: string): string[] {
  const folders: string[] = []
  for (let dir = posix.dirname(name); dir !== '.'; dir = posix.dirname(dir)) folders.unshift(dir)
  return folders
}

// A file that is right already is left alone: a resume then adds nothing to the next layer. A link on the way is
// refused, since what lies behind it is not the home; one in the file's own place is replaced, as an archive would.
const GIVE = `umask 022
PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
if [ -z "\${HOME-}" ]; then
  uid=$(id -u)
  HOME=/
  [ "$uid" != 0 ] || HOME=/root
  while IFS=: read -r _ _ id _ _ folder _; do
    if [ "$id" = "$uid" ] && [ -n "$folder" ]; then HOME=$folder; break; fi
  done < /etc/passwd
fi
refuse() {
  echo "icebox: $1, so the agent's file $name can't be written." >&2
  exit 1
}
give() {
  name=$1
  shift
  from=/run/icebox/home/$name
  to=$HOME/$name
  if [ -f "$to" ] && [ ! -h "$to" ] && [ "$(cat "$to"; echo x)" = "$(cat "$from"; echo x)" ]; then return; fi
  [ -d "$HOME" ] || mkdir -p "$HOME" || refuse "$HOME can't be made"
  for folder; do
    [ ! -h "$HOME/$folder" ] || refuse "$HOME/$folder is a link"
    [ -d "$HOME/$folder" ] || mkdir "$HOME/$folder" || refuse "$HOME/$folder can't be made"
  done
  rm -f "$to" && cat "$from" > "$to" || refuse "$to can't be replaced"
}
`

/**
 * Pure: what the start script runs before the agent, as the agent's user, to put the files that lie in the run
 * folder's `home` into HOME. Empty without files. A file that can't be written ends the run, with a reason.
 */
export function homeScript(files: HomeFiles): string {
  const names = Object.keys(files).sort().map(cleanName)
  if (names.length === 0) return ''
  const gives = names.map((name) => `give ${[name, ...foldersOf(name)].map(shellQuote).join(' ')}\n`)
  // In a shell of its own: nothing of it reaches the agent.
  return `(\n${GIVE}${gives.join('')}) || exit 125\n`
}

/** Pure: the home's files as they lie in the run folder, readable by whoever the agent runs as. */
export function homeInRunFolder(files: HomeFiles): PackEntry[] {
  const entries = homeEntries(files)
  if (entries.length === 0) return []
  return [
    { type: 'directory', name: 'home', mode: 0o755 },
    ...entries.map((entry): PackEntry => ({ ...entry, name: `home/${entry.name}` })),
  ]
}
