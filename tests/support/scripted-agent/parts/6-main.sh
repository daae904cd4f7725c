
begin_session
headless_turn() {
  if [ -z "$has_prompt" ] && [ ! -t 0 ]; then take_prompt "$(cat)"; fi
  [ -n "$prompt" ] || { echo 'Error: Input must be provided either through stdin or as a prompt argument when using --print' >&2; leave 1; }
  if [ "$format" = stream-json ]; then
    case $flavour in
      codex) tell "{\"type\":\"thread.started\",\"thread_id\":\"$session_id\"}"; tell '{"type":"turn.started"}' ;;
      pi) tell "{\"type\":\"session\",\"version\":3,\"id\":\"$session_id\",\"timestamp\":\"$(now)\",\"cwd\":\"$(json "$here")\"}"; tell '{"type":"agent_start"}' ;;
      *) tell "{\"type\":\"system\",\"subtype\":\"init\",\"cwd\":\"$(json "$here")\",\"session_id\":\"$session_id\",\"tools\":[],\"model\":\"$s_model\",\"permissionMode\":\"default\"}" ;;
    esac
  fi
  turn "$prompt"
  text=$(json "$reply") error=false
  [ -z "$failed" ] || error=true
  if [ "$format" = text ]; then printf '%s\n' "$reply"
  else
    case $flavour in
      codex)
        if [ -n "$failed" ]; then tell "{\"type\":\"turn.failed\",\"error\":{\"message\":\"$text\"}}"
        else
          tell "{\"type\":\"item.completed\",\"item\":{\"id\":\"item_0\",\"type\":\"agent_message\",\"text\":\"$text\"}}"
          tell "{\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":$tokens,\"cached_input_tokens\":0,\"output_tokens\":25}}"
        fi ;;
      pi)
        tell "{\"type\":\"message_end\",\"message\":{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"$text\"}],\"provider\":\"anthropic\",\"model\":\"$s_model\",\"usage\":$(pi_usage),\"stopReason\":\"stop\"}}"
        tell '{"type":"agent_end","messages":[]}' ;;
      *)
        [ "$format" = json ] || tell "{\"type\":\"assistant\",\"message\":{\"id\":\"msg_$$\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"$s_model\",\"content\":[{\"type\":\"text\",\"text\":\"$text\"}],\"stop_reason\":\"end_turn\",$(usage)},\"parent_tool_use_id\":null,\"session_id\":\"$session_id\",\"uuid\":\"$(uuid)\"}"
        tell "{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":$error,\"duration_ms\":1200,\"duration_api_ms\":1000,\"num_turns\":1,\"result\":\"$text\",\"session_id\":\"$session_id\",\"total_cost_usd\":$s_cost.25,$(usage),\"permission_denials\":[],\"uuid\":\"$(uuid)\"}" ;;
    esac
  fi
  [ -z "$failed" ] || leave 1
  leave 0
}
[ -z "$headless" ] || headless_turn
[ -t 0 ] || { echo 'Error: Input must be provided either through stdin or as a prompt argument when using --print' >&2; leave 1; }

saved_tty=$(tty_set -g)
tty_set -icanon -echo -icrnl -isig -ixon
trap 'resized=1' WINCH
printf '\033[?2004h'
if [ "$s_boot" != 0 ]; then printf '\033[2J\033[H Loading…\r\n'; sleep "$s_boot"; fi
for question in $s_ask; do ask_at_start "$question"; done
paints=0
while [ "$paints" -lt "$s_paints" ]; do
  bar="warming up $paints"
  paint
  paints=$((paints + 1))
  sleep 0.2
done
bar=''
[ "$session_mode" != resume ] && [ "$session_mode" != continue ] || say "Resumed $session_id with $(messages) messages."
# Keys that came before it was ready are lost, as while a real program starts.
if [ "$s_flush" = 1 ]; then
  keys now
  [ -z "$got" ] || note 'lost early keys'
fi
update_status
note ready
queued=$prompt
paint
do_turn() { turn "$1"; update_status; paint; }
[ -z "$queued" ] || { one=$queued queued=''; do_turn "$one"; }
while [ -n "$s_then" ]; do
  one=${s_then%%;*}
  case $s_then in *';'*) s_then=${s_then#*;} ;; *) s_then='' ;; esac
  do_turn "$one"
done
stops=0
while :; do
  if [ -n "$queued" ]; then one=$queued queued=''; do_turn "$one"; continue; fi
  keys
  submit=''
  case $got in
    "$ctrl_c"*) stops=$((stops + 1)); [ "$stops" -lt 2 ] || leave 0; input='' ;;
    "$ctrl_d"*) [ -n "$input" ] || leave 0 ;;
    "$esc["*) note 'stray sequence' ;;
    "$esc"*) input='' ;;
    "$del"*) input=${input%?} ;;
    "$cr"*) submit=1 ;;
    *"$cr"*)
      stops=0
      if [ "$s_settle" = 0 ]; then input=$input${got%%"$cr"*} submit=1
      # Text and Enter in one burst are a paste to the real programs: a line break, not a submission.
      else input="$input$(printf '%s' "$got" | sed "s/$cr/ /g")"; note 'dropped enter'; fi ;;
    *) stops=0 input=$input$got ;;
  esac
  if [ -z "$submit" ] && [ "$s_settle" != 0 ]; then
    # Repainting: an Enter that comes meanwhile is lost.
    paint
    sleep "$s_settle"
    keys now
    case $got in
      *"$cr"*) note 'dropped enter'; got=$(printf '%s' "$got" | sed "s/$cr//g") ;;
    esac
    input=$input$got
  fi
  if [ -n "$submit" ] && [ -n "$input" ]; then one=$input input=''; do_turn "$one"; else paint; fi
done
