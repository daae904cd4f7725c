/**
 * Small programs that run before the agent, in its place and as it: each ends by becoming the command that follows.
 * Data comes as arguments only.
 */

/** Activates the first virtual environment that exists. Arguments: how many, the folders, then the command. */
const VENV_SCRIPT = `icebox_count=$1
shift
icebox_found= icebox_all=
while [ "$icebox_count" -gt 0 ]; do
  icebox_dir=$1
  shift
  icebox_count=$((icebox_count - 1))
  icebox_all="$icebox_all $icebox_dir"
  case $icebox_dir in
    '~') icebox_dir=$HOME ;;
    '~/'*) icebox_dir=$HOME/\${icebox_dir#??} ;;
    /*) ;;
    *) icebox_dir=$PWD/$icebox_dir ;;
  esac
  if [ -z "$icebox_found" ] && [ -f "$icebox_dir/bin/activate" ]; then icebox_found=$icebox_dir; fi
done
if [ -z "$icebox_found" ]; then
  echo "None of these virtual environments exists:$icebox_all" >&2
  exit 1
fi
VIRTUAL_ENV=$icebox_found PATH=$icebox_found/bin:$PATH
export VIRTUAL_ENV PATH
unset PYTHONHOME icebox_count icebox_found icebox_all icebox_dir
exec "$@"
`

/**
 * Brings a conversation to where the program looks for it from this working folder: files that were made at another
 * place keep theirs under the old folder's name. Arguments: provider, id or nothing for the newest, then the command.
 */
const BRING_SCRIPT = `icebox_provider=$1 icebox_id=$2
shift 2
icebox_cwd=$(pwd -P)
case $icebox_provider in
  claude)
    icebox_base=$HOME/.claude/projects
    icebox_here=$icebox_base/$(printf %s "$icebox_cwd" | sed 's/[^A-Za-z0-9]/-/g')
    icebox_head= ;;
  pi)
    icebox_base=$HOME/.pi/agent/sessions
    icebox_here=$icebox_base/--$(printf %s "\${icebox_cwd#/}" | sed 's,[/\\:],-,g')--
    icebox_head='*_' ;;
esac
icebox_newest=
for icebox_file in "$icebox_base"/*/$icebox_head"\${icebox_id:-}"*.jsonl; do
  [ -f "$icebox_file" ] && [ -s "$icebox_file" ] || continue
  case \${icebox_file##*/} in agent-*) continue ;; esac
  if [ -z "$icebox_newest" ] || [ "$icebox_file" -nt "$icebox_newest" ]; then icebox_newest=$icebox_file; fi
done
if [ -n "$icebox_newest" ] && [ "\${icebox_newest%/*}" != "$icebox_here" ]; then
  mkdir -p "$icebox_here" && cp -p "$icebox_newest" "$icebox_here/" || :
fi
unset icebox_provider icebox_id icebox_cwd icebox_base icebox_here icebox_head icebox_newest icebox_file
exec "$@"
`

/** The command with a virtual environment around it, or as it is without candidates. Pure. */
export function withVenv(argv: readonly string[], candidates: readonly string[]): readonly string[] {
  if (candidates.length === 0) return argv
  return ['sh', '-c', VENV_SCRIPT, 'icebox-venv', String(candidates.length), ...candidates, ...argv]
}

/** The command that first brings its conversation along; codex finds one by its id wherever it lies. Pure. */
export function withBroughtSession(
  argv: readonly string[],
  provider: string,
  sessionId: string | null,
): readonly string[] {
  if (provider !== 'claude' && provider !== 'pi') return argv
  return ['sh', '-c', BRING_SCRIPT, 'icebox-session', provider, sessionId ?? '', ...argv]
}
