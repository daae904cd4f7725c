import type { GuestSurvey } from './capture-left-out.ts'

/**
 * Looks into a guest and leaves the marker there. Arguments: the marker's path, its text. Prints one fact a line.
 * What is written is on the disk when it ends.
 */
export const MARK_SCRIPT = `
set -u
{ printf '%s\\n' "$2" >"$1"; } 2>/dev/null && echo marked
icebox_user=$(id -u 2>/dev/null):$(id -g 2>/dev/null)
case $icebox_user in [0-9]*:[0-9]*) echo "user $icebox_user" ;; esac
for icebox_path in /tmp /run /dev/shm; do
  [ -d "$icebox_path" ] || continue
  for icebox_item in "$icebox_path"/* "$icebox_path"/.[!.]*; do
    [ -e "$icebox_item" ] || [ -L "$icebox_item" ] || continue
    case $icebox_item in /run/icebox*|/dev/shm/icebox*|/run/lock|/run/shm) continue ;; esac
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

/**
 * Puts a test for \`find\` into the arguments: everything that is mounted in the current folder is passed by. A file
 * system's number alone does not tell, since a folder may be mounted from the same one.
 */
const PASS_BY_MOUNTS = `
set --
while read -r _ _ _ _ icebox_path _; do
  icebox_path=$(printf '%b.' "$icebox_path")
  icebox_path=\${icebox_path%.}
  case $icebox_path in
    / | "$PWD") ;;
    "\${PWD%/}"/*) set -- "$@" -path ".\${icebox_path#"\${PWD%/}"}" -prune -o ;;
  esac
done </proc/self/mountinfo
`

/**
 * Lists what lies on the guest's own disk: kind, time, size and name of everything but folders. Prints nothing where
 * the guest can't tell.
 */
export const LIST_SCRIPT = `
cd / && command -v find >/dev/null && command -v stat >/dev/null || exit 0
${PASS_BY_MOUNTS}
find . -xdev "$@" ! -type d -exec stat -c '%f %Y %s %n' {} + 2>/dev/null
exit 0
`

/** What a helper tells of the files that it was made of. Argument: the marker's path. */
export const CHECK_SCRIPT =
  '[ -e "$1" ] || exit 0; while IFS= read -r icebox_line; do echo "marker $icebox_line"; done <"$1"'

/** Removes the marker. Argument: its path. */
export const UNMARK_SCRIPT = 'rm -f "$1"'

/**
 * Unpacks a tar from stdin. Arguments: the folder that its names are relative to; `exact` to remove everything else on
 * that file system.
 */
export const UNPACK_SCRIPT = `
icebox_exact=\${2:-}
mkdir -p "$1" && cd "$1" || exit 4
icebox_help=$(tar --help 2>&1)
set --
case $icebox_help in *--xattrs-include*) set -- --xattrs '--xattrs-include=*' ;; esac
[ "$icebox_exact" = exact ] || exec tar -x -p -f - --numeric-owner "$@"
for icebox_dir in /run /dev/shm /tmp; do
  icebox_dir=$icebox_dir/icebox-unpack.$$
  mkdir -p "$icebox_dir" 2>/dev/null && break
done
trap 'rm -rf "$icebox_dir"' EXIT
case $icebox_help in *--quoting-style*) set -- "$@" --quoting-style=literal --show-transformed-names ;; esac
tar -x -v -p -f - --numeric-owner "$@" >"$icebox_dir/names" || exit 3
sed -e 's|/*$||' -e 's|^\\./||' -e 's|^|./|' "$icebox_dir/names" | sort -u >"$icebox_dir/kept"
[ "$(wc -l <"$icebox_dir/kept")" -gt 1 ] || exit 3
${PASS_BY_MOUNTS}
find . -xdev "$@" ! -path . -print | sort -u >"$icebox_dir/here"
grep -v -x -F -f "$icebox_dir/kept" "$icebox_dir/here" >"$icebox_dir/gone"
while IFS= read -r icebox_path; do rm -rf "$icebox_path" 2>/dev/null; done <"$icebox_dir/gone"
exit 0
`

/** Pure. */
export function parseSurvey(text: string): GuestSurvey {
  const lines = text.split('\n')
  return {
    filledTmpfs: lines
      .filter((line) => line.startsWith('tmpfs /'))
      .map((line) => line.slice('tmpfs '.length)),
    hasWorkspace: lines.includes('workspace'),
    user: /^user (?!0:)(\d+:\d+)$/m.exec(text)?.[1] ?? null,
  }
}

/** Whether the guest's own user could leave the marker. Pure. */
export const isMarked = (text: string): boolean => text.split('\n').includes('marked')

/** Pure. */
export function parseMarker(text: string): string | null {
  return /^marker (.*)$/m.exec(text)?.[1] ?? null
}
