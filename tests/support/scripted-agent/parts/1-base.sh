#!/bin/sh
# A scripted terminal agent: behaves on screen, in files and by exit codes as the real programs do.
set -u
LC_ALL=C.UTF-8
export LC_ALL
name=${0##*/}
case $name in claude | codex | pi) flavour=$name ;; *) flavour=custom ;; esac
own=$HOME/.scripted-agent
mkdir -p "$own"

# What a scenario may set; see scripted-agent.ts for what each means.
s_boot=0 s_paints=0 s_ask='' s_then='' s_settle=0 s_work=0 s_reply='' s_model='' s_tokens=12000 s_step=1000
s_window='' s_compact=ok s_cost=1 s_limit5=12 s_limit7=34 s_flush=1 s_tool='' s_resets='' s_trust=1
load_scenario() {
  [ -f "$1" ] || return 0
  while IFS='=' read -r s_key s_value; do
    case $s_key in
      boot) s_boot=$s_value ;; paints) s_paints=$s_value ;; ask) s_ask=$s_value ;; then) s_then=$s_value ;;
      settle) s_settle=$s_value ;; work) s_work=$s_value ;; reply) s_reply=$s_value ;; model) s_model=$s_value ;;
      tokens) s_tokens=$s_value ;; step) s_step=$s_value ;; window) s_window=$s_value ;;
      compact) s_compact=$s_value ;; cost) s_cost=$s_value ;; limit5) s_limit5=$s_value ;;
      limit7) s_limit7=$s_value ;; flush) s_flush=$s_value ;; tool) s_tool=$s_value ;;
      resets) s_resets=$s_value ;; '' | '#'*) ;;
      *) echo "scripted agent: unknown scenario key $s_key" >&2; exit 70 ;;
    esac
  done <"$1"
}
load_scenario "${0%/*}/$name.scenario"
load_scenario "${SCRIPTED_AGENT_SCENARIO:-$own/scenario}"
case $flavour in
  claude) : "${s_model:=claude-sonnet-4-5-20250929}" "${s_window:=200000}" ;;
  codex) : "${s_model:=gpt-5-codex}" "${s_window:=272000}" ;;
  *) : "${s_model:=claude-sonnet-4-5}" "${s_window:=200000}" ;;
esac

note() { printf '%s\n' "$*" >>"$own/log"; }
leave() {
  note "exit $1"
  [ -z "${saved_tty:-}" ] || { tty_set "$saved_tty"; printf '\033[?2004l\n'; }
  exit "$1"
}
tell() { printf '%s\n' "$1"; }
now() { date -u +%Y-%m-%dT%H:%M:%S.000Z; }
uuid() {
  if [ -r /proc/sys/kernel/random/uuid ]; then cat /proc/sys/kernel/random/uuid; else uuidgen | tr A-Z a-z; fi
}
# A text as the inside of a JSON string.
json() {
  printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g; s/	/\\t/g' | awk '{ printf "%s%s", gap, $0; gap = "\\n" }'
}
# The value of a JSON string at the start of the standard input's first line.
unjson() { sed 's/\\"/"/g; s/\\n/ /g; s/\\\\/\\/g'; }
