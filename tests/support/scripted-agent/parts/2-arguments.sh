
# Arguments, by the grammar of each program. An unknown flag ends it with 2.
headless='' format=text session_mode=new session_id='' prompt='' has_prompt='' skips='' channels='' verbose=''
wrong() { echo "error: $1" >&2; note "usage $1"; exit 2; }
need() { [ "$1" -ge 2 ] || wrong "option '$2' argument missing"; }
take_prompt() { prompt=$1 has_prompt=1; }
claude_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      -p | --print) headless=1 ;;
      --dangerously-skip-permissions) skips=1 ;;
      --dangerously-load-development-channels) need $# "$1"; channels=$2; shift ;;
      --verbose) verbose=1 ;;
      -c | --continue) session_mode=continue ;;
      -r | --resume) need $# "$1"; session_mode=resume session_id=$2; shift ;;
      --session-id) need $# "$1"; session_mode=given session_id=$2; shift ;;
      --output-format) need $# "$1"; format=$2; shift ;;
      --model) need $# "$1"; asked_model=$2; shift ;;
      --append-system-prompt | --system-prompt | --add-dir | --channels | --mcp-config | --settings | --permission-mode | \
        --allowedTools | --disallowedTools | --max-turns | --input-format | --effort | --agents) need $# "$1"; shift ;;
      --include-partial-messages | --strict-mcp-config | --fork-session | --ide | --debug) ;;
      --version) echo '2.1.150 (Claude Code)'; exit 0 ;;
      --) shift; [ $# -eq 0 ] || take_prompt "$*"; return ;;
      -*) wrong "unknown option '$1'" ;;
      *) take_prompt "$1" ;;
    esac
    shift
  done
}
codex_arguments() {
  if [ "${1-}" = exec ]; then headless=1; shift; fi
  while [ $# -gt 0 ]; do
    case $1 in
      --json) format=stream-json ;;
      --skip-git-repo-check | --full-auto) ;;
      --dangerously-bypass-approvals-and-sandbox | --yolo) skips=1 ;;
      -m | --model) need $# "$1"; asked_model=$2; shift ;;
      -s | --sandbox | -a | --ask-for-approval | -c | --config | -C | --cd | -p | --profile | -o | --output-last-message | --color) need $# "$1"; shift ;;
      --version) echo 'codex-cli 0.136.0'; exit 0 ;;
      resume)
        case ${2-} in
          --last) session_mode=continue; shift ;;
          '' | -*) wrong 'resume needs a session' ;;
          *) session_mode=resume session_id=$2; shift ;;
        esac ;;
      --) shift; [ $# -eq 0 ] || take_prompt "$*"; return ;;
      -) take_prompt "$(cat)" ;;
      -*) wrong "unexpected argument '$1' found" ;;
      *) take_prompt "$1" ;;
    esac
    shift
  done
}
pi_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      -p | --print) headless=1 ;;
      -c | --continue) session_mode=continue ;;
      --session) need $# "$1"; session_mode=resume session_id=$2; shift ;;
      --session-id) need $# "$1"; session_mode=given session_id=$2; shift ;;
      --mode) need $# "$1"; [ "$2" = json ] && format=stream-json; shift ;;
      --model) need $# "$1"; asked_model=$2; shift ;;
      --append-system-prompt | --system-prompt | --provider | --thinking | --tools) need $# "$1"; shift ;;
      --no-session) ;;
      --) shift; [ $# -eq 0 ] || take_prompt "$*"; return ;;
      -*) wrong "Unknown option: $1" ;;
      *) take_prompt "$1" ;;
    esac
    shift
  done
}
note "start $name $*"
asked_model=''
case $flavour in
  codex) codex_arguments "$@" ;;
  pi) pi_arguments "$@" ;;
  *) claude_arguments "$@" ;;
esac
case $asked_model in '' | sonnet | opus* | haiku | inherit) ;; *) s_model=$asked_model ;; esac
case $asked_model in *'[1m]'*) s_window=1000000 ;; esac
# As the real one, which wants both.
if [ "$flavour" = claude ] && [ -n "$headless" ] && [ "$format" = stream-json ] && [ -z "$verbose" ]; then
  echo 'Error: When using --print, --output-format=stream-json requires --verbose' >&2
  leave 1
fi
