/**
 * What runs beside the agent and as its user, so that no link of its making leads anywhere that it could not go
 * itself. Data comes as arguments only. Exit codes: 0 done, 3 nothing there, 11 a link is in the way, 12 something
 * else is, 13 the system refused.
 */
export const MISSING = 3
export const IS_LINK = 11
export const IS_OTHER = 12

const PATHS = `PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
`
const BEGIN = `${PATHS}cd -- "$1" 2>/dev/null || exit 3
`

/**
 * Arguments: folder, depth, bytes. Lines of seconds, bytes and path, as many as there is room for; at last how the
 * search ended, since it also fails when the agent removes a file meanwhile.
 */
export const LIST_SCRIPT = `${BEGIN}command -v head >/dev/null || exit 127
{ find . -maxdepth "$2" -type f -exec stat -c '%Y %s %n' {} + 2>/dev/null; echo "ended $?"; } | head -c "$3"
`

/** Arguments: base, bytes, path. */
export const TAIL_SCRIPT = `${BEGIN}[ -f "$3" ] && [ ! -h "$3" ] || exit 3
exec tail -c "$2" -- "$3"
`

const DOWN = `for folder; do
  [ ! -h "$folder" ] || exit 11
  if [ ! -d "$folder" ]; then
    [ ! -e "$folder" ] || exit 12
    [ -n "$make" ] || exit 3
    mkdir -m 700 -- "$folder" || exit 13
  fi
  cd -P -- "$folder" || exit 13
done
`

/** Arguments: base, bytes, temporary name, name, folders on the way. The content is on standard input. */
export const WRITE_SCRIPT = `umask 077
${PATHS}[ -d "$1" ] || mkdir -p -- "$1" 2>/dev/null
cd -- "$1" || exit 3
bytes=$2 temp=$3 name=$4 make=1
shift 4
${DOWN}[ -h "$name" ] || [ ! -d "$name" ] || exit 12
trap 'rm -f -- "$temp"' 0
if [ -f "$name" ] && [ ! -h "$name" ]; then cp -p -- "$name" "$temp" || exit 13; fi
head -c "$bytes" > "$temp" || exit 13
[ "$(wc -c < "$temp")" -eq "$bytes" ] || exit 13
mv -f -- "$temp" "$name" || exit 13
`

/** Arguments: base, name, folders on the way. */
export const REMOVE_SCRIPT = `${BEGIN}name=$2 make=
shift 2
${DOWN}[ -h "$name" ] || [ ! -d "$name" ] || exit 12
rm -f -- "$name" || exit 13
`
