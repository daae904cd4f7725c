/**
 * First process inside the namespaces. Arguments: root, file for the record of this process, folder of device nodes,
 * `ro` or `rw`, mounts (`bind SOURCE TARGET ro|rw` or `tmpfs TARGET OPTIONS`), `--`, the command. Paths are absolute
 * ones of this machine. Says `ok` on descriptor 3 as soon as all mounts stand.
 */
export const SET_UP = `set -eu
read -r stat < /proc/self/stat
printf '%s\\n' "$stat" > "$2.tmp"
root=$1 record=$2 dev=$3 mode=$4
shift 4
if [ "$mode" = ro ]; then mount --bind "$root" "$root"; fi
mount -t proc proc "$root/proc"
mount --bind "$dev" "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount --bind /dev/pts "$root/dev/pts"
while [ "$1" != -- ]; do
  case $1 in
    bind)
      mount --bind "$2" "$3"
      if [ "$4" = ro ]; then mount -o remount,bind,ro "$3"; fi
      shift 4 ;;
    tmpfs) mount -t tmpfs -o "$3" tmpfs "$2"; shift 3 ;;
    *) exit 70 ;;
  esac
done
shift
if [ "$mode" = ro ]; then mount -o remount,bind,ro "$root"; fi
mv -f "$record.tmp" "$record"
printf ok >&3
exec 3>&- 2>&4 4>&-
exec "$@"
`

/** A guest's first process when no program of its own is to be: it gathers what others leave and ends on SIGTERM. */
export const IDLE = `trap 'exit 0' TERM INT
/bin/sleep infinity &
while :; do wait || :; done
`

/** A small first process that passes signals on to the command, which therefore doesn't ignore them. */
export const WITH_INIT = `"$@" <&0 &
child=$!
for name in HUP INT QUIT TERM USR1 USR2; do trap "kill -$name $child" "$name"; done
while :; do
  wait "$child"
  code=$?
  kill -0 "$child" 2>/dev/null || exit "$code"
done
`

/**
 * Stays beside the guest, outlives whoever started it and records how the guest ended. Arguments: file for its own
 * record, file for the exit code, file for what the namespace tools say, folder to remove afterwards or nothing, the
 * command. Older util-linux can't pass a SIGKILL on and says so instead.
 */
export const SUPERVISE = `trap : INT QUIT HUP TERM
read -r stat < /proc/self/stat
printf '%s\\n' "$stat" > "$1"
exitfile=$2 said=$3 remove=$4
shift 4
"$@" 4>&2 2>"$said"
code=$?
exec 3>&-
if [ "$code" = 1 ] && grep -q 'sigprocmask unblock' "$said"; then code=137; fi
printf '%s\\n' "$code" > "$exitfile.tmp"
mv -f "$exitfile.tmp" "$exitfile"
if [ -n "$remove" ]; then rm -rf "$remove"; fi
exit "$code"
`

/**
 * Lets a guest go on when whoever held it is gone without a word. Arguments: its first process, then processes outside
 * that wait for one of the guest's.
 */
export const THAW_AFTER_DEATH = `read -r _ && exit
/usr/bin/nsenter -t "$1" --pid -- /bin/sh -c 'kill -CONT -1'
kill -CONT "$@"
`
