
# One turn: what a prompt makes it do. Prompts that begin with `!` are instructions.
milliseconds() { echo $(($(date +%s) * 1000)); }
settings_command() { # $1: key whose "command" is wanted
  [ -f .claude/settings.local.json ] || return 1
  awk -v key="\"$1\"" 'index($0, key) { on = 1 } on && /"command": *"/ { sub(/.*"command": *"/, ""); sub(/",? *$/, ""); print; exit }' \
    .claude/settings.local.json | unjson
}
run_hook() { # $1 event, $2 further JSON members
  [ "$flavour" = claude ] || return 0
  hook=$(settings_command "$1") || return 0
  [ -n "$hook" ] || return 0
  printf '{"session_id":"%s","transcript_path":"%s","cwd":"%s","hook_event_name":"%s"%s}' "$session_id" "$(json "$transcript")" "$(json "$here")" "$1" "${2-}" |
    CLAUDE_PROJECT_DIR=$here sh -c "$hook" >/dev/null 2>&1 || note "hook $1 failed"
}
update_status() {
  [ "$flavour" = claude ] || return 0
  line_command=$(settings_command statusLine) || return 0
  [ -n "$line_command" ] || return 0
  percent=$((tokens * 100 / s_window))
  status=$(printf '{"hook_event_name":"Status","session_id":"%s","transcript_path":"%s","cwd":"%s","model":{"id":"%s","display_name":"Scripted"},"workspace":{"current_dir":"%s","project_dir":"%s"},"version":"2.1.150","cost":{"total_cost_usd":%s.25,"total_duration_ms":45000,"total_api_duration_ms":2300},"context_window":{"total_input_tokens":%d,"total_output_tokens":25,"context_window_size":%d,"used_percentage":%d,"remaining_percentage":%d,"current_usage":{"input_tokens":10,"output_tokens":25,"cache_creation_input_tokens":%d,"cache_read_input_tokens":%d}},"exceeds_200k_tokens":false,"rate_limits":{"five_hour":{"used_percentage":%s,"resets_at":1893456000},"seven_day":{"used_percentage":%s,"resets_at":1893888000}}}' \
    "$session_id" "$(json "$transcript")" "$(json "$here")" "$s_model" "$(json "$here")" "$(json "$here")" "$s_cost" "$tokens" "$s_window" \
    "$percent" $((100 - percent)) $((tokens / 10)) $((tokens - tokens / 10 - 10)) "$s_limit5" "$s_limit7" | sh -c "$line_command" 2>/dev/null | head -n 1)
}
limit_text() {
  case $flavour in
    codex) printf "You've hit your usage limit. Upgrade to Pro or try again at %s." "${s_resets:-5:00 PM}" ;;
    *) printf "You've hit your limit · resets %s" "${s_resets:-5pm (UTC)}" ;;
  esac
}
logout_text() {
  case $flavour in
    codex) printf 'Your access token could not be refreshed. Please log out and sign in again.' ;;
    *) printf 'Please run /login · API Error: 401 {"type":"error","error":{"type":"authentication_error","message":"OAuth token has expired."}}' ;;
  esac
}
# Works for so many seconds (tenths allowed); Escape ends it early. What is typed meanwhile waits in the input line.
work() {
  [ "$1" != 0 ] || return 0
  if [ -n "$headless" ]; then sleep "$1"; return; fi
  ticks=$(awk -v s="$1" 'BEGIN { printf "%d", s * 5 + 0.999 }') tick=0
  while [ "$tick" -lt "$ticks" ]; do
    activity="✶ Working… ($((tick / 5))s · esc to interrupt)"
    [ $((tick % 5)) != 0 ] || paint
    keys soon
    tick=$((tick + 1))
    case $got in
      '') ;;
      "$ctrl_c"* | "$esc") activity=''; say '⎿ Interrupted by user'; note interrupted; interrupted=1; paint; return 1 ;;
      *"$cr"*) queued=$input${got%%"$cr"*} input='' ;;
      *) input=$input$got ;;
    esac
  done
  activity=''
}
# Sets `reply`.
obey() {
  verb=${1%% *} rest=''
  [ "$verb" = "$1" ] || rest=${1#* }
  case $verb in
    '!work') work "$rest" || return 1; reply="Worked $rest." ;;
    '!hang') activity='✶ Working… (esc to interrupt)'; [ -n "$headless" ] || paint; note hanging; while :; do sleep 3600; done ;;
    '!limit') reply=$(limit_text) failed=1 ;;
    '!logout') reply=$(logout_text) failed=1 ;;
    '!agents') agents=$rest reply="$rest agents." ; [ "$rest" != 0 ] || agents='' ;;
    '!ask') choose "$rest
 Do you want to proceed?" 1 'Yes' 'No'; note "asked $rest answered $chosen"; reply="You chose $chosen." ;;
    '!crash') say 'Segmentation fault'; leave "${rest:-1}" ;;
    '!exit') leave 0 ;;
    '!tokens') tokens=$rest reply="$rest tokens." step=0 ;;
    '!tool') write_tool "${rest%% *}" "${rest#* }"; run_hook PreToolUse ",\"tool_name\":\"${rest%% *}\",\"tool_input\":${rest#* }"; write_tool_result; run_hook PostToolUse ",\"tool_name\":\"${rest%% *}\""; reply='Used a tool.' ;;
    '!say') reply=$rest ;;
    '!write') printf '%s\n' "${rest#* }" >"${rest%% *}"; reply="Wrote ${rest%% *}." ;;
    '!read') reply=$(cat "$rest" 2>&1) ;;
    '!env') eval "reply=\${$rest-unset}" ;;
    '!recall') reply="You said: $(recalled)" ;;
    '!count') reply="$(messages) messages" ;;
    /exit | /quit) leave 0 ;;
    /compact) compact ;;
    /clear) session_id=$(uuid) transcript='' tokens=$s_tokens reply='(no content)' ;;
    /*) reply="Unknown slash command: ${verb#/}" ;;
    *)
      work "$s_work" || return 1
      if [ -n "$s_tool" ]; then write_tool Bash '{"command":"ls","description":"List the files"}'; write_tool_result; fi
      reply=${s_reply:-Done: $1} ;;
  esac
}
compact() {
  before=$tokens
  work "$s_work" || return 1
  case $s_compact in
    fail) reply='Error: Error during compaction: Error: Conversation too long.' ;;
    no-effect) reply='Compacted.' ;;
    *) tokens=$((tokens / 5)) step=0 reply='Compacted (ctrl+o to see full summary)'; write_compaction "$before" ;;
  esac
}
turn() {
  note "turn $1"
  interrupted='' failed='' reply='' step=$s_step
  case $1 in /*) ;; *) write_user "$1"; run_hook UserPromptSubmit ",\"prompt\":\"$(json "$1")\"" ;; esac
  say "❯ $1"
  [ -n "$headless" ] || paint
  obey "$1" || return 0
  tokens=$((tokens + step))
  case $1 in /*) ;; *) write_reply "$reply" ;; esac
  say "⏺ $reply"
  run_hook Stop ',"stop_hook_active":false'
}
