import type { GuestSurvey } from './capture-left-out.ts'

/**
 * Looks into a guest and leaves the marker there. Arguments: the marker's path, its text. Prints one fact a line.
 * What is written is on the disk when it ends.
 */
export const MARK_SCRIPT = `
set -u
printf '%s\\n' "$2" >"$1" || exit 4
for icebox_path in /tmp /run /dev/shm; do
  [ -d "$icebox_path" ] || continue
  for icebox_item in "$icebox_path"/* "$icebox_path"/.[!.]*; do
    [ -e "$icebox_item" ] || [ -L "$icebox_item" ] || continue
    case $icebox_item in /run/icebox*|/run/lock|/run/shm) continue ;; esac
    echo "tmpfs $icebox_path"
    break
  done
done
for icebox_item in /workspace/* /workspace/.[!.]* /workspace/..?*; do
  [ -e "$icebox_item" ] || [ -L "$icebox_item" ] || continue
  echo workspace
  break
done
sync
`

/** Counts what lies on the guest's own disk. Prints nothing where the guest can't count. */
export const COUNT_SCRIPT = `
command -v find >/dev/null && command -v wc >/dev/null || exit 0
icebox_count=$(find / -xdev 2>/dev/null | wc -l)
echo "entries $icebox_count"
`

/** What a helper tells of the files that it was made of. Argument: the marker's path. */
export const CHECK_SCRIPT = `
while IFS= read -r icebox_line; do echo "marker $icebox_line"; done <"$1"
${COUNT_SCRIPT}
`

/** Removes the marker. Argument: its path. */
export const UNMARK_SCRIPT = 'rm -f "$1"'

/** Unpacks a tar from stdin. Argument: the folder that its names are relative to. */
export const UNPACK_SCRIPT = `
mkdir -p "$1" && cd "$1" || exit 4
icebox_help=$(tar --help 2>&1)
set --
case $icebox_help in *--xattrs-include*) set -- --xattrs '--xattrs-include=*' ;; esac
exec tar -x -p -f - --numeric-owner "$@"
`

/** Pure. */
export function parseSurvey(text: string): Omit<GuestSurvey, 'entries'> {
  const lines = text.split('\n')
  return {
    filledTmpfs: lines
      .filter((line) => line.startsWith('tmpfs /'))
      .map((line) => line.slice('tmpfs '.length)),
    hasWorkspace: lines.includes('workspace'),
  }
}

/** Pure. */
export function parseEntries(text: string): number | null {
  const found = /^entries +(\d+)$/m.exec(text)
  return found ? Number(found[1]) : null
}

/** Pure. */
export function parseMarker(text: string): string | null {
  return /^marker (.*)$/m.exec(text)?.[1] ?? null
}

/** Some files come and go with every boot; a layer that got lost takes more than these with it. Pure. */
export function isWhole(before: number | null, after: number | null): boolean {
  if (before === null || after === null) return true
  return before - after <= Math.max(16, before / 1000)
}
