import { shellQuote } from '../guest/shell-quote.ts'
import { AWAIT_TMUX_WORD } from '../local/runner-script.ts'

/**
 * Stands between Icebox and the engine's `exec` and outlives both terminals and Icebox: waits for the word to start,
 * runs the agent's `exec`, asks the guest how the agent ended, and writes it down. While a hold is there, an end of the
 * `exec` that the guest knows nothing of is a stop in a freeze: it waits, and begins the agent anew. Arguments: run
 * folder, log file or nothing, record file, tmux program or nothing, then the `exec`.
 * @param ask the command that prints the agent's exit code; null takes the `exec`'s own
 */
export function runnerScript(ask: readonly string[] | null): string {
  const question = ask === null ? '' : ask.map(shellQuote).join(' ')
  return `#!/bin/sh
icebox_run=$1 icebox_log=$2 icebox_index=$3 icebox_tmux=$4
shift 4
# A handler, not "ignore": an ignored signal would stay ignored below.
trap : HUP INT QUIT TERM USR1 USR2 ALRM PIPE
if [ -n "$icebox_tmux" ]; then
  ${AWAIT_TMUX_WORD}
  . "$icebox_run/launch.sh" || exit 0
  command -p rm -f "$icebox_run/launch.sh"
  unset TMUX TMUX_PANE
else
  IFS= read -r icebox_go && [ "$icebox_go" = go ] || exit 0
  exec </dev/null
fi
: >"$icebox_run/started"
while :; do
  if [ -n "$icebox_log" ]; then
    "$@" >>"$icebox_log" 2>&1
  else
    "$@"
  fi
  icebox_code=$?
${
  ask === null
    ? ''
    : `  icebox_code=$(${question} </dev/null 2>/dev/null)
  case $icebox_code in '' | *[!0-9]*) icebox_code=null ;; esac
`
}${ask === null ? '  ' : `  [ "$icebox_code" = null ] && `}[ -e "$icebox_run/hold" ] || break
  : >"$icebox_run/held"
  while [ -e "$icebox_run/hold" ]; do
    command -p sleep 0.1 2>/dev/null || command -p sleep 1
  done
  command -p rm -f "$icebox_run/held"
done
icebox_now=$(command -p date -u +%Y-%m-%dT%H:%M:%SZ)
# One write over a file of blanks: a full disk can't swallow the result, and no helper that a stop kills is needed.
printf '{"exitCode":%s,"endedAt":"%s"}' "$icebox_code" "$icebox_now" 1<>"$icebox_run/exit.json"
command -p touch -c "$icebox_index"
exit 0
`
}
