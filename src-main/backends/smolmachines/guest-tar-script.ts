/**
 * Streams the guest's own files as tars to stdout. Arguments: the folder that names are relative to, the folder to pack
 * (\`.\`, or \`./…\` below it), a path that belongs to it though it is mounted (or nothing), a script that gives a signal to the
 * agent's processes, which stand still meanwhile (or nothing), then paths to leave out. What else is mounted below the
 * packed folder is left out too. First comes a line of `HEAD_BYTES` with the length of a small tar,
 * then that tar: the folders that are packed in part, and the empty places of what is left out. Then the tar of
 * everything else, and at last one line of `TRAILER_BYTES`: files that changed meanwhile, whether extended attributes
 * are kept, and the second tar's sha256 (zeros where the guest can't tell).
 *
 * For any POSIX shell, GNU's tar and the barest of busybox's. Whatever tar says beside "changed while it was read" is
 * a failure: it is said on stderr, with exit code 3.
 */
export const GUEST_TAR_SCRIPT = `
set -u
icebox_top=$1 icebox_start=$2 icebox_also=$3 icebox_signal=$4
shift 4
cd "$icebox_top" || exit 4
for icebox_dir in /run /dev/shm /tmp; do
  icebox_dir=$icebox_dir/icebox-tar.$$
  mkdir -p "$icebox_dir" 2>/dev/null && break
done
chmod 700 "$icebox_dir" || exit 4
icebox_go_on() {
  rm -rf "$icebox_dir"
  [ -z "$icebox_signal" ] || sh "$icebox_signal" CONT
}
trap icebox_go_on EXIT
trap 'exit 5' HUP INT TERM PIPE
if [ -n "$icebox_signal" ] && [ -e "$icebox_signal" ]; then sh "$icebox_signal" STOP; else icebox_signal=; fi
: >"$icebox_dir/whole"
: >"$icebox_dir/sum"
echo "$icebox_start" >"$icebox_dir/part"
{
  for icebox_path in "$@"; do printf '%s\\n' ".$icebox_path"; done
  icebox_root=$icebox_top
  [ "$icebox_root" = / ] && icebox_root=
  while read -r _ _ _ _ icebox_path _; do
    icebox_path=$(printf '%b.' "$icebox_path")
    icebox_path=\${icebox_path%.}
    case $icebox_path in
      "$icebox_root$icebox_also") ;;
      "$icebox_root"/?*) printf '%s\\n' ".\${icebox_path#"$icebox_root"}" ;;
    esac
  done </proc/self/mountinfo
} >"$icebox_dir/out"
icebox_walk() {
  for icebox_path in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    [ -e "$icebox_path" ] || [ -L "$icebox_path" ] || continue
    case $icebox_path in *'
'*) echo "a name with a line break in $1" >&2; exit 3 ;; esac
    icebox_kind=whole
    while IFS= read -r icebox_out; do
      case $icebox_out in
        "$icebox_path") icebox_kind=out; break ;;
        "$icebox_path"/*) icebox_kind=part ;;
      esac
    done <"$icebox_dir/out"
    if [ "$icebox_kind" = whole ]; then
      printf '%s\\n' "$icebox_path" >>"$icebox_dir/whole"
    elif [ -d "$icebox_path" ] && [ ! -L "$icebox_path" ]; then
      printf '%s\\n' "$icebox_path" >>"$icebox_dir/part"
      [ "$icebox_kind" = part ] && printf '%s\\n' "$icebox_path" >>"$icebox_dir/next"
    fi
  done
}
echo "$icebox_start" >"$icebox_dir/next"
while [ -s "$icebox_dir/next" ]; do
  mv "$icebox_dir/next" "$icebox_dir/now"
  while IFS= read -r icebox_folder; do icebox_walk "$icebox_folder"; done <"$icebox_dir/now"
done
icebox_help=$(tar --help 2>&1)
icebox_xattrs=0
set --
case $icebox_help in
  *--xattrs-include*) set -- "$@" --xattrs '--xattrs-include=*'; icebox_xattrs=1 ;;
esac
case $icebox_help in
  *--sort=*) set -- "$@" --sort=name --format=pax --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime ;;
esac
icebox_read() {
  while IFS= read -r icebox_path; do set -- "$@" "$icebox_path"; done <"$icebox_dir/list"
  tar -c -f - --numeric-owner "$@" 2>>"$icebox_dir/said"
  echo $? >"$icebox_dir/code"
}
cp "$icebox_dir/part" "$icebox_dir/list"
icebox_read "$@" --no-recursion >"$icebox_dir/part.tar"
printf 'icebox-part %012d\\n' "$(wc -c <"$icebox_dir/part.tar")"
cat "$icebox_dir/part.tar" || exit 5
cp "$icebox_dir/whole" "$icebox_dir/list"
if [ ! -s "$icebox_dir/whole" ]; then
  icebox_sum=none
elif command -v sha256sum >/dev/null && command -v mkfifo >/dev/null && mkfifo "$icebox_dir/pipe"; then
  sha256sum <"$icebox_dir/pipe" >"$icebox_dir/sum" &
  icebox_read "$@" | tee "$icebox_dir/pipe" || exit 5
  wait $!
  read -r icebox_sum _ <"$icebox_dir/sum"
else
  icebox_read "$@" || exit 5
  icebox_sum=none
fi
[ "$icebox_sum" != none ] || icebox_sum=0000000000000000000000000000000000000000000000000000000000000000
read -r icebox_code <"$icebox_dir/code"
icebox_live='changed as we read|removed before we read|shrank by|No such file|short read'
icebox_changed=$(grep -c -E "$icebox_live" "$icebox_dir/said")
grep -v -E "$icebox_live|socket ignored|Exiting with failure|error exit delayed" "$icebox_dir/said" >&2 && exit 3
[ "$icebox_code" -le 2 ] || { echo "tar ended with $icebox_code" >&2; exit 3; }
printf 'icebox-tar %09d %d %s\\n' "$icebox_changed" "$icebox_xattrs" "$icebox_sum"
`

/** The line before the small tar. */
export const HEAD_BYTES = 'icebox-part 000000000000\n'.length
/** The line that ends the stream. */
export const TRAILER_BYTES = 'icebox-tar 000000000 0 \n'.length + 64

/** Length of the small tar; null for anything else. Pure. */
export function parseHead(bytes: Uint8Array): number | null {
  const found = /^icebox-part (\d{12})\n$/.exec(Buffer.from(bytes).toString('latin1'))
  return found ? Number(found[1]) : null
}

export interface TarTrailer {
  /** Files that changed or went away while they were read. */
  readonly changed: number
  readonly keepsXattrs: boolean
  /** Hex; null when the guest has no way to tell, or the tar is empty. */
  readonly sha256: string | null
}

/** Reads the last line; null for anything else, as a stream that broke off has. Pure. */
export function parseTrailer(bytes: Uint8Array): TarTrailer | null {
  const found = /^icebox-tar (\d{9}) ([01]) ([0-9a-f]{64})\n$/.exec(Buffer.from(bytes).toString('latin1'))
  if (!found) return null
  const [, changed = '', xattrs, sum = ''] = found
  return { changed: Number(changed), keepsXattrs: xattrs === '1', sha256: /^0+$/.test(sum) ? null : sum }
}
