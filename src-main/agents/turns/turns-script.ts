/**
 * The program of the `turns` runtime: a POSIX shell script that runs inside the bottle, on busybox too, and outlives Icebox. What it
 * keeps below `$HOME/.icebox`: `heartbeat.json`, `session.jsonl` (what the agent said, a line per event), `session_id`, `inbox/`
 * (messages, taken by name), `turns/current` (the one whose turn is on), `undone/` (those whose turn never ended, twice).
 */
export const TURNS_SCRIPT = `# Feeds an agent one headless turn after the other. What it is told lies in files below $HOME/.icebox: turns (at the
# start) and inbox (later). Arguments: provider, \`drive\` or \`serve\`, the text that ends a drive, most turns, seconds
# before a kick, names of the start's files, then three command lines, each after the number of its words: for a
# conversation that begins, that goes on by its id, and that goes on as the newest. Marks in them stand for the prompt
# and the conversation.
set -u
umask 077
base=$HOME/.icebox
inbox=$base/inbox
turns=$base/turns
provider=$1 mode=$2 until=$3 most=$4 kick_after=$5 missions=$6
shift 6
mkdir -p "$inbox" "$turns" || exit 125

now() { date -u +%Y-%m-%dT%H:%M:%SZ; }
put() {
  printf '%s\\n' "$2" >"$1.new" && mv -f "$1.new" "$1"
}
beat() {
  put "$base/heartbeat.json" "{\\"ts\\":\\"$(now)\\",\\"pid\\":$$,\\"state\\":\\"$1\\"}"
  beaten=0
}
# A text as the inside of a JSON string.
json() {
  sed 's/\\\\/\\\\\\\\/g; s/"/\\\\"/g; s/	/\\\\t/g' "$1" | LC_ALL=C awk '{ gsub(/[\\001-\\037]/, ""); printf "%s%s", gap, $0; gap = "\\\\n" }'
}
event() { printf '%s\\n' "$1" >>"$base/session.jsonl"; }

state=starting is_over='' heart='' turn_pid=''
beat starting
trap 'is_over=1' TERM INT HUP

# Ends with the runner, also when that is killed.
hearts() {
  while kill -0 $$ 2>/dev/null; do
    beat "$1"
    sleep 10 &
    wait $!
  done
}
start_heart() {
  (
    trap 'kill $! 2>/dev/null; exit 0' TERM
    trap '' INT HUP
    hearts "$1"
  ) &
  heart=$!
}
end_heart() {
  [ -n "$heart" ] || return 0
  kill "$heart" 2>/dev/null
  wait "$heart" 2>/dev/null
  heart=''
}

# The command line number $1 of those that follow, marks filled in; replaces this process.
call() {
  which=$1
  shift
  while [ "$which" -gt 1 ]; do
    words=$1
    shift
    shift "$words"
    which=$((which - 1))
  done
  words=$1
  shift
  others=$(($# - words))
  while [ "$words" -gt 0 ]; do
    word=$1
    shift
    fill
    set -- "$@" "$word"
    words=$((words - 1))
  done
  shift "$others"
  exec "$@"
}
fill() {
  case $word in
    *"$session_mark"*) word=\${word%%"$session_mark"*}$session\${word#*"$session_mark"} ;;
  esac
  case $word in
    *"$prompt_mark"*) word=\${word%%"$prompt_mark"*}$prompt\${word#*"$prompt_mark"} ;;
  esac
}
prompt_mark=%icebox-prompt% session_mark=%icebox-session%
# How many words the command line number $1 has.
count() {
  skip=$1
  shift
  while [ "$skip" -gt 1 ]; do
    words=$1
    shift
    shift "$words"
    skip=$((skip - 1))
  done
  counted=$1
}

session='' began='' taken=0
find_session() {
  case $provider in
    claude) key=session_id ;;
    codex) key=thread_id ;;
    pi) key=id ;;
    *) return 0 ;;
  esac
  found=$(sed -n "s/.*\\"$key\\":\\"\\([A-Za-z0-9][A-Za-z0-9._:-]*\\)\\".*/\\1/p" "$turns/out" | head -n 1)
  [ -n "$found" ] || return 0
  session=$found
  put "$base/session_id" "$session"
}
# The lines that hold what the agent said last.
replies() {
  case $provider in
    claude) grep '"type":"result"' "$turns/out" ;;
    codex) grep '"type":"agent_message"' "$turns/out" ;;
    pi) grep '"type":"message_end"' "$turns/out" | grep '"role":"assistant"' ;;
    *) cat "$turns/out" ;;
  esac
}

# One turn with the text of a file.
turn() {
  file=$1
  shift
  prompt=$(cat "$file")
  # Programs take these for a file or for standard input.
  case $prompt in @*) prompt=" $prompt" ;; -) prompt='- ' ;; esac
  taken=$((taken + 1))
  line=1
  if [ -n "$began" ]; then
    count 2 "$@"
    if [ -n "$session" ] && [ "$counted" -gt 0 ]; then line=2
    else
      count 3 "$@"
      [ "$counted" -eq 0 ] || line=3
    fi
  fi
  event "{\\"ts\\":\\"$(now)\\",\\"type\\":\\"user_echo\\",\\"turn\\":$taken,\\"text\\":\\"$(json "$file")\\"}"
  state=working
  start_heart working
  rm -f "$turns/code" "$turns/child"
  : >"$turns/out"
  # The pipe keeps order and lets the output be seen while it comes.
  {
    (
      trap - TERM INT HUP
      call "$line" "$@"
    ) </dev/null 2>&1 &
    put "$turns/child" $!
    while :; do
      wait $!
      code=$?
      kill -0 $! 2>/dev/null || break
    done
    put "$turns/code" "$code"
    # What the agent left running may hold the pipe for ever; the turn is over all the same.
    (
      sleep 2
      reader=$(cat "$turns/reader-$taken" 2>/dev/null) && kill "$reader" 2>/dev/null
    ) >/dev/null 2>&1 &
  } | while IFS= read -r said || [ -n "$said" ]; do
    printf '%s\\n' "$said"
    printf '%s\\n' "$said" >&3
    printf '%s\\n' "$said" >&4
  done 3>>"$base/session.jsonl" 4>>"$turns/out" &
  turn_pid=$!
  put "$turns/reader-$taken" "$turn_pid"
  await_turn
  rm -f "$turns/reader-$taken"
  end_heart
  code=$(cat "$turns/code" 2>/dev/null || echo 143)
  event "{\\"ts\\":\\"$(now)\\",\\"type\\":\\"turn\\",\\"turn\\":$taken,\\"code\\":$code}"
  find_session
  # Without a conversation there is nothing to go on with.
  [ -z "$session" ] && [ "$code" != 0 ] || began=1
  case $code in 126 | 127) beat stopping; exit "$code" ;; esac
  state=idle
  beat idle
}
end_child() {
  child=$(cat "$turns/child" 2>/dev/null) || return 0
  [ -f "$turns/code" ] || kill -"$1" "$child" 2>/dev/null
}
# Waits for the turn. Once the runner is asked to end, the turn has five seconds, then it is ended too.
await_turn() {
  while kill -0 "$turn_pid" 2>/dev/null; do
    wait "$turn_pid"
    [ -n "$is_over" ] || continue
    end_heart
    beat stopping
    left=50
    while [ "$left" -gt 0 ] && kill -0 "$turn_pid" 2>/dev/null; do
      [ "$left" != 20 ] || end_child TERM
      left=$((left - 1))
      sleep 0.1 2>/dev/null || sleep 1
    done
    end_child KILL
    wait "$turn_pid" 2>/dev/null
    return
  done
}

# Sets \`next\` to the oldest message that has come completely.
look() {
  next=''
  for file in "$inbox"/*; do
    case $file in
      *.txt) next=$file ;;
      # As it is written by Icebox: the last line tells that all of it is there.
      *.msg) [ "$(tail -n 1 "$file")" = '--end--' ] && next=$file ;;
    esac
    [ -z "$next" ] || return 0
  done
}
take() {
  case $next in
    *.msg) sed '$d' "$next" >"$turns/current.new" || return 1 ;;
    *) cat "$next" >"$turns/current.new" || return 1 ;;
  esac
  mv -f "$turns/current.new" "$turns/current" && rm -f "$next"
}
finish() {
  [ "$mode" = drive ] || return 0
  if [ -n "$until" ] && replies | grep -qF -e "$until"; then
    beat stopping
    exit 0
  fi
  if [ "$taken" -ge "$most" ]; then
    echo "icebox: the most turns ($most) are taken." >&2
    beat stopping
    exit 1
  fi
}
one() {
  turn "$@"
  if [ -z "$is_over" ] || [ "$code" = 0 ]; then rm -f "$turns/current" "$turns/again"; fi
  finish
}

# A message whose turn did not end comes once more, unless this start brings it anyway.
for mission in $missions; do
  [ -f "$turns/current" ] || break
  [ "$(cat "$turns/$mission")" != "$(cat "$turns/current")" ] || rm -f "$turns/current"
done
if [ -f "$turns/current" ]; then
  if [ -f "$turns/again" ]; then
    mkdir -p "$base/undone"
    mv -f "$turns/current" "$base/undone/$(date +%s).txt"
    rm -f "$turns/again"
    event "{\\"ts\\":\\"$(now)\\",\\"type\\":\\"error\\",\\"text\\":\\"A message was given up: its turn never ended.\\"}"
  else
    : >"$turns/again"
    event "{\\"ts\\":\\"$(now)\\",\\"type\\":\\"requeued\\"}"
    one "$turns/current" "$@"
  fi
fi
state=idle
beat idle
for mission in $missions; do
  [ -z "$is_over" ] || break
  cat "$turns/$mission" >"$turns/current"
  one "$turns/current" "$@"
done

# Looks each second after a turn, later each five.
quiet=0 beaten=0
while [ -z "$is_over" ]; do
  look
  if [ -n "$next" ]; then
    take && one "$turns/current" "$@"
    quiet=0
    continue
  fi
  if [ "$mode" = drive ] && [ "$taken" -gt 0 ] && [ "$quiet" -ge "$kick_after" ]; then
    one "$turns/kick" "$@"
    quiet=0
    continue
  fi
  if [ "$quiet" -lt 30 ]; then pause=1; else pause=5; fi
  sleep "$pause" &
  wait $!
  quiet=$((quiet + pause)) beaten=$((beaten + pause))
  [ "$beaten" -lt 10 ] || beat idle
done
beat stopping
exit 0
`

/** Stand for the prompt and the conversation in the command lines that the script is given. */
export const PROMPT_MARK = '%icebox-prompt%'
export const SESSION_MARK = '%icebox-session%'

/** Ends a message that Icebox puts into the inbox: without it the script waits for the rest. */
export const MESSAGE_END = '--end--'
