import { shellQuote } from '../guest/shell-quote.ts'
import { RUN_DIR } from '../labels.ts'

/**
 * The container's entrypoint, the same for every run. It tells each start, runs the agent and writes down how it
 * ended, because the engine keeps no exit code. Everything that differs is in files beside it. The folder is of this
 * machine and no part of an export.
 *
 * `starts` gets an "s" when it begins and a "g" when the agent does. `exit.json` is written once, over blanks, so that
 * a full disk can't swallow it.
 */
const COMMON = `#!/bin/sh
printf s >>${RUN_DIR}/starts
printf '%63s\\n' '' 1<>${RUN_DIR}/exit.json
icebox_code=125
trap 'printf "{\\"exitCode\\":%d}" "$icebox_code" 1<>${RUN_DIR}/exit.json' EXIT
. ${RUN_DIR}/env || exit 125
. ${RUN_DIR}/home.sh || exit 125
. ${RUN_DIR}/place.sh || exit 125
. ${RUN_DIR}/argv || exit 125
`

// In the foreground, or the terminal would not be the agent's. Signals are kept off this shell by a handler: an
// ignored one would stay ignored in the agent. A stop reaches the agent by the number that is written down here.
const WITH_TERMINAL = `trap : HUP INT QUIT TERM
printf g >>${RUN_DIR}/starts
/bin/sh -c 'printf "%-15s" "$$" 1<>${RUN_DIR}/agent.pid; exec "$@"' icebox "$@"
icebox_code=$?
exit "$icebox_code"
`

// In the background, since only a waiting shell acts on a signal at once. A shell has its background programs ignore
// INT and QUIT; env(1) undoes that where it can.
const WITHOUT_TERMINAL = `case $1 in
  *=* | -*) ;;
  *) if env --default-signal=INT,QUIT true 2>/dev/null; then set -- env --default-signal=INT,QUIT "$@"; fi ;;
esac
icebox_agent= icebox_told=
icebox_hand_on() {
  icebox_told=$1
  if [ -n "$icebox_agent" ]; then kill -"$1" "$icebox_agent" 2>/dev/null; fi
}
for icebox_signal in HUP INT QUIT TERM USR1 USR2; do
  trap "icebox_hand_on $icebox_signal" "$icebox_signal"
done
"$@" </dev/null &
icebox_agent=$!
[ -z "$icebox_told" ] || kill -"$icebox_told" "$icebox_agent" 2>/dev/null
printf g >>${RUN_DIR}/starts
icebox_ended=
while :; do
  icebox_told=
  wait "$icebox_agent"
  icebox_now=$?
  # An agent that ended just as a signal came is not known to the shell any more.
  if [ "$icebox_now" != 127 ] || [ -z "$icebox_ended" ]; then icebox_ended=$icebox_now; fi
  [ -n "$icebox_told" ] || break
done
icebox_code=$icebox_ended
exit "$icebox_code"
`

/** Pure: the program that a container starts with. */
export const startScript = (hasTerminal: boolean): string =>
  COMMON + (hasTerminal ? WITH_TERMINAL : WITHOUT_TERMINAL)

/** What the start script's folder holds for a copy of a folder of this machine. */
export const COPIED_FOLDER = 'cwd'

/**
 * Pure: goes to the working folder, making it where it is missing, and puts the copied folder into it once. Empty
 * for neither.
 */
export function placeScript(workdir: string | null, isCopied: boolean): string {
  const lines: string[] = []
  if (workdir) {
    const folder = shellQuote(workdir)
    lines.push(
      `if ! cd ${folder} 2>/dev/null; then`,
      `  mkdir -p ${folder} && cd ${folder} || exit 125`,
      'fi',
      `PWD=$(pwd) && export PWD`,
    )
  }
  if (isCopied) {
    const from = `${RUN_DIR}/${COPIED_FOLDER}/.`
    lines.push(
      `if [ -d ${RUN_DIR}/${COPIED_FOLDER} ]; then`,
      `  cp -R --preserve=mode,timestamps ${from} . 2>/dev/null || cp -R ${from} . || exit 125`,
      'fi',
    )
  }
  return lines.map((line) => `${line}\n`).join('')
}
