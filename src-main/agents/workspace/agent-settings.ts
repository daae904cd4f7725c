import type { JsonChange } from './json-change.ts'

/** Where the helpers lie below HOME, and what they write there. */
export const EVENT_PROGRAM = '.icebox/event.sh'
export const STATUS_PROGRAM = '.icebox/status-line.sh'

/** The events that tell what the agent does. */
const EVENTS = [
  'PreToolUse',
  'PostToolUse',
  'UserPromptSubmit',
  'Notification',
  'Stop',
  'SessionStart',
  'PreCompact',
] as const

/** Bytes of one event that are kept; of a longer one only what tells most. */
const EVENT_BYTES = 8000
const EVENT_LINES = 500

/** Appends what the program tells its hook to `events.jsonl`, with the time. Never fails the program that calls it. */
export const EVENT_SCRIPT = `umask 077
cd "$HOME/.icebox" 2>/dev/null || exit 0
said=$(tr -d '\\r\\n\\000' 2>/dev/null || cat)
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
if [ "\${#said}" -gt ${EVENT_BYTES} ]; then
  part() { printf '%s' "$said" | sed -n 's/.*"'"$1"'":"\\([A-Za-z0-9_:. -]*\\)".*/\\1/p' | head -n 1; }
  said="{\\"hook_event_name\\":\\"$(part hook_event_name)\\",\\"session_id\\":\\"$(part session_id)\\",\\"tool_name\\":\\"$(part tool_name)\\"}"
fi
case $said in
  '{'*'}') printf '{"ts":"%s","payload":%s}\\n' "$now" "$said" >>events.jsonl ;;
esac
if [ "$(wc -c <events.jsonl)" -gt ${EVENT_BYTES * EVENT_LINES} ]; then
  # One that was killed leaves its lock behind.
  [ -z "$(find events.lock -prune -mmin +1 2>/dev/null)" ] || rmdir events.lock 2>/dev/null
  if mkdir events.lock 2>/dev/null; then
    tail -n ${EVENT_LINES} events.jsonl | tail -c ${(EVENT_BYTES * EVENT_LINES) / 2} >events.new && mv -f events.new events.jsonl
    rmdir events.lock
  fi
fi
exit 0
`

/** Keeps what the program tells its status line in `status.json`, and shows model and context. */
export const STATUS_SCRIPT = `umask 077
said=$(cat)
base=$HOME/.icebox
printf '%s\\n' "$said" >"$base/status.$$" 2>/dev/null && mv -f "$base/status.$$" "$base/status.json"
part() { printf '%s' "$said" | tr -d '\\n' | sed -n "s/.*\\"$1\\": *\\"\\{0,1\\}\\([^,\\"}]*\\).*/\\1/p"; }
model=$(part display_name)
used=$(part used_percentage)
printf '%s' "\${model:-agent}"
[ -z "$used" ] || printf ' · %s %% of context' "\${used%%.*}"
printf '\\n'
exit 0
`

/** The helpers as files below HOME. */
export const SETTINGS_HOME_FILES: Readonly<Record<string, string>> = {
  [EVENT_PROGRAM]: EVENT_SCRIPT,
  [STATUS_PROGRAM]: STATUS_SCRIPT,
}

/** Settings may outlive the helper, and a hook that ends with 2, as a shell without its script does, blocks the tool. */
const commandOf = (program: string): string => `[ ! -f "$HOME/${program}" ] || sh "$HOME/${program}" || true`

/** What `.claude/settings.local.json` needs so that the agent can be watched. A person's own status line stays. Pure. */
export function settingsChanges(options: {
  readonly args: readonly string[]
  readonly skipPermissions: boolean
  readonly servers: readonly string[]
}): readonly JsonChange[] {
  const hook = { hooks: [{ type: 'command', command: commandOf(EVENT_PROGRAM), timeout: 10 }] }
  const isSkipping = options.skipPermissions || options.args.includes('--dangerously-skip-permissions')
  const loadsChannels = options.args.some((arg) => arg.startsWith('--dangerously-load-development-channels'))
  return [
    ...EVENTS.map(
      (event): JsonChange => ({
        kind: 'add',
        path: ['hooks', event],
        value: event === 'PreToolUse' || event === 'PostToolUse' ? { matcher: '*', ...hook } : hook,
      }),
    ),
    {
      kind: 'set',
      path: ['statusLine'],
      value: { type: 'command', command: commandOf(STATUS_PROGRAM) },
      always: false,
    },
    // A suggestion in the input line can't be told from a text that somebody typed and did not send.
    { kind: 'set', path: ['promptSuggestionEnabled'], value: false, always: false },
    ...(isSkipping ? [flag('skipDangerousModePermissionPrompt')] : []),
    ...(loadsChannels ? [flag('enableAllProjectMcpServers')] : []),
    ...options.servers.map(
      (name): JsonChange => ({ kind: 'add', path: ['enabledMcpjsonServers'], value: name }),
    ),
  ]
}

const flag = (name: string): JsonChange => ({ kind: 'set', path: [name], value: true, always: false })
