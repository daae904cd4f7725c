import { posix } from 'node:path'
import { homeScript } from '../guest/home-files.ts'
import { type RunRecipe, runFiles } from '../guest/run-files.ts'
import { shellQuote } from '../guest/shell-quote.ts'
import { RUN_DIR } from '../labels.ts'

/**
 * Where a run's files can lie in a guest, best first: both are memory, so they are in no pack and gone with a stop.
 * The second is for images whose own user can't write to the first.
 */
export const GUEST_DIRS = [RUN_DIR, '/dev/shm/icebox'] as const

/**
 * Runs the agent inside the guest and leaves behind how it ended: the engine tells an end of the agent and an end of
 * the connection by the same number. The files beside it are read once and emptied.
 */
export const GUEST_START = `#!/bin/sh
icebox_dir=\${0%/*}
rm -f "$icebox_dir/exit"
echo "$$" >"$icebox_dir/pid"
. "$icebox_dir/env" || exit 125
icebox_dir=\${0%/*}
. "$icebox_dir/home.sh" || exit 125
. "$icebox_dir/argv" || exit 125
# What was read is of no use to anybody else, and a checkpoint would keep it.
: >"$icebox_dir/env"
: >"$icebox_dir/argv"
# Handlers, not "ignore": an ignored signal would stay ignored in the agent.
trap : HUP INT TERM
"$@"
icebox_code=$?
echo "$icebox_code" >"$icebox_dir/exit"
exit "$icebox_code"
`

/**
 * Sends a signal (its first argument) to everything below the start script, and with `all` behind it to that too. What is to
 * die or to stand still is looked for until all of it stands and nothing new is found: a process that is forked during a
 * look is missed by it, and only one that stands forks no more. One that a device keeps is not waited for endlessly.
 */
export const GUEST_SIGNAL = `#!/bin/sh
read -r top 2>/dev/null <"\${0%/*}/pid" || exit 0
name=$1 whole=\${2-}
look() {
  all= moving=
  for stat in /proc/[0-9]*/stat; do
    { IFS= read -r line <"$stat"; } 2>/dev/null || continue
    pid=\${stat#/proc/} pid=\${pid%/stat}
    # State, parent and more follow the name, which may hold anything.
    rest=\${line##*') '} state=\${rest%% *} rest=\${rest#* }
    all="$all $pid:\${rest%% *}:$state"
    [ "$whole:$pid" != "all:$top" ] || stands "$state"
  done
  found= level=$top
  [ "$whole" != all ] || found=$top
  while [ -n "$level" ]; do
    next=
    for entry in $all; do
      rest=\${entry#*:}
      for parent in $level; do
        [ "\${rest%:*}" = "$parent" ] || continue
        next="$next \${entry%%:*}"
        stands "\${entry##*:}"
      done
    done
    found="$found $next" level=$next
  done
}
stands() { case $1 in [TtZXx]) ;; *) moving=yes ;; esac; }
tell() { [ -z "\${found# }" ] || kill -s "$1" $found 2>/dev/null; }
look
case $name in
  KILL | STOP)
    before= looks=0
    while { [ "$found" != "$before" ] || [ -n "$moving" ]; } && [ "$looks" -lt 100 ]; do
      tell STOP
      before=$found looks=$((looks + 1))
      look
    done
    ;;
esac
tell "$name"
exit 0
`

/** Prints how the agent ended, if it did. */
export const EXIT_QUESTION = 'read -r code <"$1/exit" && echo "$code"'

/** Tells whether the files of a run lie in a guest: they are gone once it was stopped. */
export const HERE_QUESTION = '[ -e "$1/start" ] && echo here; exit 0'

/**
 * Pure: the script that puts a run's files into a guest, for a shell's stdin, so that neither arguments nor
 * environment of any process on this machine carry a secret. It tells where they are and where the agent will start.
 */
export function deliveryScript(recipe: RunRecipe, workdir: string | null): string {
  const files = runFiles(recipe).filter((file) => file.type === 'file' && file.name !== 'start')
  const folders = runFiles(recipe).filter((file) => file.type === 'directory' && file.name !== '.')
  const lines = [
    'umask 022',
    // A disk would keep what is delivered, and a snapshot would carry it away.
    'memory=',
    'while read -r _ at type _; do case $type in tmpfs | ramfs) memory="$memory $at " ;; esac; done </proc/mounts',
    'dir=',
    'try() {',
    '  case $memory in *" $1 "*) ;; *) return 1 ;; esac',
    '  mkdir -p "$2" 2>/dev/null && : 2>/dev/null >"$2/env" && dir=$2',
    '}',
    ...GUEST_DIRS.map((dir) => `[ -n "$dir" ] || try ${posix.dirname(dir)} ${dir}`),
    'if [ -z "$dir" ]; then echo "icebox: neither /run nor /dev/shm is memory that can be written" >&2; exit 3; fi',
    'put() { printf %s "$2" >"$dir/$1" || exit 3; }',
    ...(workdir === null ? [] : [`mkdir -p ${shellQuote(workdir)} || exit 3`]),
    ...folders.map(({ name }) => `mkdir -p "$dir"/${shellQuote(name)} || exit 3`),
    ...files.flatMap((file) =>
      file.type === 'file' && file.name !== 'home.sh'
        ? [`put ${shellQuote(file.name)} ${shellQuote(String(file.content))}`]
        : [],
    ),
    'case $dir in',
    ...GUEST_DIRS.map((dir) => {
      const script = homeScript(recipe.homeFiles ?? {}).replaceAll(`${RUN_DIR}/home/`, `${dir}/home/`)
      return `${dir}) put home.sh ${shellQuote(script)} ;;`
    }),
    'esac',
    `put start ${shellQuote(GUEST_START)}`,
    `put signal ${shellQuote(GUEST_SIGNAL)}`,
    'echo "icebox-dir $dir"',
    'echo "icebox-cwd $PWD"',
  ]
  return `${lines.join('\n')}\n`
}

/** What a delivery told; null when it did not come to its end. Pure. */
export function parseDelivery(stdout: string): { readonly dir: string; readonly cwd: string } | null {
  const dir = /^icebox-dir (\/.*)$/m.exec(stdout)?.[1]
  const cwd = /^icebox-cwd (\/.*)$/m.exec(stdout)?.[1]
  return dir === undefined ? null : { dir, cwd: cwd ?? '/' }
}
