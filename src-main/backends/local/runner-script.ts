import { shellQuote } from '../guest/shell-quote.ts'

/** The open file to which a sandbox program writes how far it came; the agent doesn't get it. */
export const SANDBOX_STATUS_FD = 9

/** Waits for the word in a terminal of tmux, whose server wakes whoever waits with the same 0 when it is ended. */
export const AWAIT_TMUX_WORD =
  '"$icebox_tmux" wait-for icebox-go && "$icebox_tmux" has-session -t =agent 2>/dev/null || exit 0'

/**
 * Stands between Icebox and the agent and outlives both terminals and Icebox: waits for the word to start (so that
 * a run that nobody recorded never begins), runs the agent, and writes down how it ended. Arguments: run folder,
 * log file or nothing, index file, what gives the word in a terminal (the tmux program, or `fifo`) or nothing, then
 * the agent's command line.
 */
export const RUNNER_SCRIPT = `#!/bin/sh
icebox_run=$1 icebox_log=$2 icebox_index=$3 icebox_tmux=$4
shift 4
# A handler, not "ignore": an ignored signal would stay ignored in the agent.
trap : HUP INT QUIT TERM USR1 USR2 ALRM PIPE
if [ -n "$icebox_tmux" ]; then
  if [ "$icebox_tmux" = fifo ]; then
    echo $$ >"$icebox_run/runner.pid"
    IFS= read -r icebox_go <"$icebox_run/word" && [ "$icebox_go" = go ] || exit 0
  else
    ${AWAIT_TMUX_WORD}
  fi
  . "$icebox_run/launch.sh" || exit 0
  command -p rm -f "$icebox_run/launch.sh"
  unset TMUX TMUX_PANE STY WINDOW SCREENDIR TERMCAP
else
  IFS= read -r icebox_go && [ "$icebox_go" = go ] || exit 0
  exec </dev/null
fi
: >"$icebox_run/started"
icebox_agent() {
  if [ -n "$icebox_log" ]; then
    "$@" >>"$icebox_log" 2>&1
  else
    "$@"
  fi
}
# True when bwrap gave up before the agent began, because a mount went away while it copied them.
icebox_gave_up() {
  icebox_seen=
  while IFS= read -r icebox_line; do
    case $icebox_line in
      *'"exit-code"'*) return 1 ;;
      *'"child-pid"'*) icebox_seen=1 ;;
    esac
  done <"$icebox_run/sandbox"
  [ -n "$icebox_seen" ]
}
case \${1##*/} in
  bwrap)
    icebox_fresh=
    [ -z "$icebox_log" ] || [ -s "$icebox_log" ] || icebox_fresh=1
    for icebox_try in 1 2 3 4 5 6; do
      icebox_agent "$@" ${SANDBOX_STATUS_FD}>"$icebox_run/sandbox"
      icebox_code=$?
      [ "$icebox_code" = 1 ] && icebox_gave_up || break
      [ "$icebox_try" = 6 ] || [ -z "$icebox_fresh" ] || : >"$icebox_log"
    done
    ;;
  *)
    icebox_agent "$@"
    icebox_code=$?
    ;;
esac
icebox_now=$(command -p date -u +%Y-%m-%dT%H:%M:%SZ)
# One write over a file of blanks: a full disk can't swallow the result, and no helper that a stop kills is needed.
printf '{"exitCode":%d,"endedAt":"%s"}' "$icebox_code" "$icebox_now" 1<>"$icebox_run/exit.json"
command -p touch -c "$icebox_index"
exit "$icebox_code"
`

/** The file that the runner writes its result into: blanks, which JSON readers pass over. */
export const EXIT_BLANK = `${' '.repeat(127)}\n`

/** What an interactive runner reads in place of arguments, since a terminal server's own command line is short. Pure. */
export function launchScript(
  cwd: string,
  env: Readonly<Record<string, string>>,
  argv: readonly string[],
): string {
  const variables = Object.entries(env).map(([name, value]) => `export ${name}=${shellQuote(value)}`)
  return [
    `cd ${shellQuote(cwd)} || exit 0`,
    ...variables,
    `set -- ${argv.map(shellQuote).join(' ')}`,
    '',
  ].join('\n')
}

/** A terminal server that shows the agent and nothing else; no key is taken from it. */
export const TMUX_CONFIG = `set -g status off
set -g prefix None
set -g prefix2 None
unbind -a
unbind -a -T root
set -g default-terminal screen-256color
set -g history-limit 20000
set -g remain-on-exit off
set -g window-size latest
set -g allow-rename off
set -g set-titles off
set -g update-environment ""
set-hook -g client-attached 'run-shell -b ": >>\\"\\$ICEBOX_ATTACHED\\""'
set -sg escape-time 0
set -sg exit-empty on
`
