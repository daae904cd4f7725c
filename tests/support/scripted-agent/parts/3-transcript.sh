
# Where each program keeps its conversations, and what it writes there.
here=$(pwd -P)
case $flavour in
  codex) sessions=$HOME/.codex/sessions ;;
  pi) sessions=$HOME/.pi/agent/sessions/--$(printf '%s' "${here#/}" | sed 's,[/:],-,g')-- ;;
  *) sessions=$HOME/.claude/projects/$(printf '%s' "$here" | sed 's/[^A-Za-z0-9]/-/g') ;;
esac
session_file() {
  case $flavour in
    codex) ls "$sessions"/*/*/*/rollout-*-"$1".jsonl 2>/dev/null | tail -n 1 ;;
    pi) ls "$sessions"/*_"$1".jsonl 2>/dev/null | tail -n 1 ;;
    *) [ -s "$sessions/$1.jsonl" ] && echo "$sessions/$1.jsonl" ;;
  esac
}
newest_session() {
  case $flavour in
    codex) ls -t "$sessions"/*/*/*/rollout-*.jsonl 2>/dev/null | head -n 1 ;;
    *) ls -t "$sessions"/*.jsonl 2>/dev/null | head -n 1 ;;
  esac
}
id_of() { basename_of=${1##*/}; basename_of=${basename_of%.jsonl}; case $flavour in codex) printf %s "$basename_of" | tail -c 36 ;; pi) printf %s "${basename_of##*_}" ;; *) printf %s "$basename_of" ;; esac; }
new_file() {
  case $flavour in
    codex) printf %s "$sessions/$(date -u +%Y/%m/%d)/rollout-$(date -u +%Y-%m-%dT%H-%M-%S)-$session_id.jsonl" ;;
    pi) printf %s "$sessions/$(date -u +%Y-%m-%dT%H-%M-%S)-000Z_$session_id.jsonl" ;;
    *) printf %s "$sessions/$session_id.jsonl" ;;
  esac
}
line() { printf '%s\n' "$1" >>"$transcript"; }
begin_session() {
  tokens=$s_tokens
  case $session_mode in
    continue)
      transcript=$(newest_session)
      if [ -z "$transcript" ]; then echo 'No conversation found to continue' >&2; leave 1; fi
      session_id=$(id_of "$transcript") ;;
    resume)
      transcript=$(session_file "$session_id")
      if [ -z "$transcript" ]; then echo "No conversation found with session ID: $session_id" >&2; leave 1; fi ;;
    given)
      if [ -n "$(session_file "$session_id")" ]; then
        echo "Error: Session ID $session_id is already in use." >&2
        leave 1
      fi
      transcript='' ;;
    *) session_id=$(uuid) transcript='' ;;
  esac
  note "session $session_mode $session_id"
  if [ -n "$transcript" ]; then
    [ ! -f "$own/tokens-$session_id" ] || tokens=$(cat "$own/tokens-$session_id")
  fi
}
# A conversation without a message leaves no file, as with the real programs.
open_transcript() {
  [ -z "$transcript" ] || return 0
  transcript=$(new_file)
  mkdir -p "${transcript%/*}"
  case $flavour in
    codex)
      line "{\"timestamp\":\"$(now)\",\"type\":\"session_meta\",\"payload\":{\"id\":\"$session_id\",\"timestamp\":\"$(now)\",\"cwd\":\"$(json "$here")\",\"originator\":\"codex_cli_rs\",\"cli_version\":\"0.136.0\",\"source\":\"cli\"}}"
      line "{\"timestamp\":\"$(now)\",\"type\":\"turn_context\",\"payload\":{\"cwd\":\"$(json "$here")\",\"approval_policy\":\"never\",\"model\":\"$s_model\"}}" ;;
    pi)
      line "{\"type\":\"session\",\"version\":3,\"id\":\"$session_id\",\"timestamp\":\"$(now)\",\"cwd\":\"$(json "$here")\"}"
      line "{\"type\":\"model_change\",\"id\":\"m1\",\"parentId\":null,\"timestamp\":\"$(now)\",\"provider\":\"anthropic\",\"modelId\":\"$s_model\"}" ;;
  esac
}
messages() {
  [ -n "$transcript" ] && [ -f "$transcript" ] || { echo 0; return; }
  case $flavour in
    codex) grep -c '"type":"user_message"' "$transcript" ;;
    pi) grep -c '"role":"user"' "$transcript" ;;
    *) grep -c '"type":"user","message":{"role":"user","content":"' "$transcript" ;;
  esac
}
# The user's message before the newest one.
recalled() {
  case $flavour in
    codex) sed -n 's/.*"type":"user_message","message":"\(.*\)","kind".*/\1/p' "$transcript" ;;
    *) sed -n 's/.*"role":"user","content":"\(.*\)","end":1}.*/\1/p; s/.*"role":"user","content":"\(.*\)"},"uuid".*/\1/p' "$transcript" ;;
  esac | tail -n 2 | head -n 1 | unjson
}
meta() { printf '"cwd":"%s","sessionId":"%s","version":"2.1.150","gitBranch":"","isSidechain":false,"userType":"external"' "$(json "$here")" "$session_id"; }
stamp() { printf '"uuid":"%s","timestamp":"%s"' "$(uuid)" "$(now)"; }
usage() {
  printf '"usage":{"input_tokens":10,"cache_creation_input_tokens":%d,"cache_read_input_tokens":%d,"output_tokens":25}' \
    $((tokens / 10)) $((tokens - tokens / 10 - 10))
}
write_user() {
  open_transcript
  case $flavour in
    codex) line "{\"timestamp\":\"$(now)\",\"type\":\"event_msg\",\"payload\":{\"type\":\"user_message\",\"message\":\"$(json "$1")\",\"kind\":\"plain\"}}" ;;
    pi) line "{\"type\":\"message\",\"id\":\"$(uuid)\",\"parentId\":null,\"timestamp\":\"$(now)\",\"message\":{\"role\":\"user\",\"content\":\"$(json "$1")\",\"end\":1}}" ;;
    *) line "{\"parentUuid\":null,$(meta),\"type\":\"user\",\"message\":{\"role\":\"user\",\"content\":\"$(json "$1")\"},$(stamp)}" ;;
  esac
}
# $1 name, $2 input as JSON
write_tool() {
  case $flavour in
    codex) line "{\"timestamp\":\"$(now)\",\"type\":\"response_item\",\"payload\":{\"type\":\"function_call\",\"name\":\"$1\",\"arguments\":\"$(json "$2")\",\"call_id\":\"call_1\"}}" ;;
    pi) line "{\"type\":\"message\",\"id\":\"$(uuid)\",\"parentId\":null,\"timestamp\":\"$(now)\",\"message\":{\"role\":\"assistant\",\"content\":[{\"type\":\"toolCall\",\"id\":\"t1\",\"name\":\"$1\",\"arguments\":$2}],\"provider\":\"anthropic\",\"model\":\"$s_model\",\"usage\":$(pi_usage),\"stopReason\":\"toolUse\"}}" ;;
    *) line "{\"parentUuid\":null,$(meta),\"type\":\"assistant\",\"message\":{\"id\":\"msg_$$\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"$s_model\",\"content\":[{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"name\":\"$1\",\"input\":$2}],\"stop_reason\":\"tool_use\",$(usage)},$(stamp)}" ;;
  esac
}
write_tool_result() {
  [ "$flavour" = claude ] || [ "$flavour" = custom ] || return 0
  line "{\"parentUuid\":null,$(meta),\"type\":\"user\",\"message\":{\"role\":\"user\",\"content\":[{\"tool_use_id\":\"toolu_1\",\"type\":\"tool_result\",\"content\":\"ok\"}]},$(stamp)}"
}
pi_usage() { printf '{"input":10,"output":25,"cacheRead":%d,"cacheWrite":0,"totalTokens":%d,"cost":{"input":0,"output":0,"cacheRead":0,"cacheWrite":0,"total":0.01}}' $((tokens - 10)) $((tokens + 25)); }
codex_count() {
  line "{\"timestamp\":\"$(now)\",\"type\":\"event_msg\",\"payload\":{\"type\":\"token_count\",\"info\":{\"total_token_usage\":{\"input_tokens\":$((tokens * 3)),\"cached_input_tokens\":0,\"output_tokens\":75,\"reasoning_output_tokens\":0,\"total_tokens\":$((tokens * 3 + 75))},\"last_token_usage\":{\"input_tokens\":$tokens,\"cached_input_tokens\":$((tokens - 10)),\"output_tokens\":25,\"reasoning_output_tokens\":0,\"total_tokens\":$((tokens + 25))},\"model_context_window\":$s_window},\"rate_limits\":{\"primary\":{\"used_percent\":$s_limit5.0,\"window_minutes\":300,\"resets_at\":1893456000},\"secondary\":{\"used_percent\":$s_limit7.0,\"window_minutes\":10080,\"resets_at\":1893888000}}}}"
}
write_reply() {
  open_transcript
  case $flavour in
    codex)
      line "{\"timestamp\":\"$(now)\",\"type\":\"event_msg\",\"payload\":{\"type\":\"agent_message\",\"message\":\"$(json "$1")\"}}"
      codex_count ;;
    pi) line "{\"type\":\"message\",\"id\":\"$(uuid)\",\"parentId\":null,\"timestamp\":\"$(now)\",\"message\":{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"$(json "$1")\"}],\"provider\":\"anthropic\",\"model\":\"$s_model\",\"usage\":$(pi_usage),\"stopReason\":\"stop\"}}" ;;
    *) line "{\"parentUuid\":null,$(meta),\"type\":\"assistant\",\"message\":{\"id\":\"msg_$$\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"$s_model\",\"content\":[{\"type\":\"text\",\"text\":\"$(json "$1")\"}],\"stop_reason\":\"end_turn\",$(usage)},$(stamp)}" ;;
  esac
  printf '%s' "$tokens" >"$own/tokens-$session_id"
}
write_compaction() {
  open_transcript
  case $flavour in
    codex) line "{\"timestamp\":\"$(now)\",\"type\":\"compacted\",\"payload\":{\"message\":\"A summary.\"}}"; codex_count ;;
    pi) line "{\"type\":\"compaction\",\"id\":\"c1\",\"parentId\":null,\"timestamp\":\"$(now)\",\"summary\":\"A summary.\",\"firstKeptEntryId\":\"m1\",\"tokensBefore\":$1}" ;;
    *)
      line "{\"parentUuid\":null,$(meta),\"type\":\"system\",\"subtype\":\"compact_boundary\",\"content\":\"Conversation compacted\",\"compactMetadata\":{\"trigger\":\"manual\",\"preTokens\":$1},$(stamp)}"
      line "{\"parentUuid\":null,$(meta),\"type\":\"user\",\"isCompactSummary\":true,\"message\":{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"A summary.\"}]},$(stamp)}" ;;
  esac
  printf '%s' "$tokens" >"$own/tokens-$session_id"
}
