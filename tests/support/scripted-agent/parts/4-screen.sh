
# The terminal: raw keys in, a whole repainted screen out.
tty_set() { if command -v stty >/dev/null 2>&1; then stty "$@" 2>/dev/null; else busybox stty "$@" 2>/dev/null; fi; }
history='' input='' activity='' bar='' agents='' status=''
# As the real programs do, the screen is drawn anew when the terminal changes its size; `keys` sees to it.
resized='' redraw=:
say() { history="$history$1
"; }
hint() {
  case $flavour in
    codex) printf '  %s · %d%% context left' "$s_model" $((100 - tokens * 100 / s_window)) ;;
    pi) printf '  %d.%d%%/%dk  %s' $((tokens * 100 / s_window)) $((tokens * 1000 / s_window % 10)) $((s_window / 1000)) "$s_model" ;;
    *) if [ -n "$skips" ]; then printf '  ⏵⏵ bypass permissions on (shift+tab to cycle)'; else printf '  ? for shortcuts'; fi ;;
  esac
}
paint() {
  redraw=paint
  drawn=$(printf '%s' "$history" | tail -n 16)
  out=$(printf '\033[2J\033[H ✻ Scripted %s  %s\n\n%s\n' "$flavour" "$bar" "$drawn")
  [ -z "$activity" ] || out="$out

$activity"
  out="$out

────────────────────────────────────────
❯ $input
────────────────────────────────────────
"
  [ -z "$status" ] || out="$out  $status
"
  out="$out$(hint)"
  [ -z "$agents" ] || out="$out
  $agents local agents running"
  printf '%s' "$out" | awk '{ printf "%s%s", gap, $0; gap = "\r\n" }'
}
# Waits for keys. With `soon` a fifth of a second, with `now` not at all; then empty when there are none. The end of
# the terminal ends the program. No read waits for long, since a signal is heard between two only.
keys() {
  empty=0
  while :; do
    case ${1-} in
      soon) tty_set min 0 time 2 ;;
      now) tty_set min 0 time 0 ;;
      *) tty_set min 0 time 10 ;;
    esac && there=1 || there=''
    got=$(dd bs=1024 count=1 2>/dev/null; printf '%s.' "$?")
    [ -z "$resized" ] || { resized=''; "$redraw"; }
    case $got in
      0.)
        [ -z "${1-}" ] || break
        [ -z "$there" ] || { empty=0; continue; } ;;
      *0.) break ;;
    esac
    # One failure may be a signal's doing; a terminal that is gone gives nothing but such.
    empty=$((empty + 1))
    [ "$empty" -lt 10 ] || { note 'terminal gone'; exit 129; }
    sleep 0.1
  done
  got=${got%0.}
  # Pasted texts come in brackets.
  case $got in
    *"$esc[200~"*) got=$(printf '%s' "$got" | sed "s/$esc\[20[01]~//g"; printf .) got=${got%.} ;;
  esac
}
esc=$(printf '\033') cr=$(printf '\r') del=$(printf '\177') ctrl_c=$(printf '\003') ctrl_d=$(printf '\004')
offer() {
  redraw=offer number=0
  printf '\033[2J\033[H\r\n %s\r\n\r\n' "$title"
  printf '%s\n' "$choices" | while IFS= read -r choice; do
    number=$((number + 1))
    if [ "$number" = "$chosen" ]; then printf ' ❯ %d. %s\r\n' "$number" "$choice"; else printf '   %d. %s\r\n' "$number" "$choice"; fi
  done
  case $flavour in
    codex) printf '\r\n Press enter to continue\r\n' ;;
    *) printf '\r\n Enter to confirm · Esc to cancel\r\n' ;;
  esac
}
# A choice with digits or arrows and Enter. $1 title, $2 the choice at first, then the choices. Sets `chosen`.
choose() {
  title=$1 chosen=$2
  shift 2
  choices=$(printf '%s\n' "$@")
  while :; do
    offer
    keys
    while [ -n "$got" ]; do
      case $got in
        "$esc[A"*) [ "$chosen" -le 1 ] || chosen=$((chosen - 1)); got=${got#???} ;;
        "$esc[B"*) [ "$chosen" -ge $# ] || chosen=$((chosen + 1)); got=${got#???} ;;
        "$cr"*) return 0 ;;
        "$ctrl_c"*) leave 0 ;;
        # A report of the terminal, such as its size or focus.
        "$esc["*) note 'stray sequence'; got='' ;;
        "$esc"*) chosen=0; return 0 ;;
        [1-9]*) digit=${got%"${got#?}"}; got=${got#?}; [ "$digit" -gt $# ] || chosen=$digit ;;
        *) note "stray key"; got=${got#?} ;;
      esac
    done
  done
}
ask_yn() {
  redraw=ask_yn
  printf '\033[2J\033[H\r\n Load the settings of this folder? (y/n) %s' "$typed"
}
ask_at_start() {
  case $1 in
    bypass)
      grep -qs '"skipDangerousModePermissionPrompt": *true' "$HOME/.claude/settings.json" .claude/settings.local.json && return
      choose 'WARNING: Claude Code running in Bypass Permissions mode

 In Bypass Permissions mode, Claude Code will not ask for your approval before running potentially dangerous commands.' 1 'No, exit' 'Yes, I accept'
      note "prompt bypass answered $chosen"
      [ "$chosen" = 2 ] || leave 1 ;;
    channels)
      choose "WARNING: Loading development channels

 --dangerously-load-development-channels is for local channel development only. Channels: $channels" 1 'I am using this for local development' 'Exit'
      note "prompt channels answered $chosen"
      [ "$chosen" = 1 ] || leave 1 ;;
    effort)
      choose 'Choose the thinking effort for this model
 Effort determines how long the model thinks.' 1 'Use medium effort (recommended)' 'Use high effort' 'Use low effort'
      note "prompt effort answered $chosen" ;;
    trust)
      case $flavour in
        codex) choose 'Do you trust the contents of this directory? Working with untrusted contents comes with higher risk of prompt injection.' 1 'Yes, continue' 'No, quit' ;;
        *) choose "Accessing workspace: $here

 Quick safety check: Is this a project you created or one you trust?" 1 'Yes, I trust this folder' 'No, exit' ;;
      esac
      note "prompt trust answered $chosen"
      [ "$chosen" = 1 ] || leave 1 ;;
    yn)
      typed=''
      ask_yn
      while :; do
        keys
        case $got in *"$cr"*) typed=$typed${got%%"$cr"*}; break ;; *) typed=$typed$got; printf '%s' "$got" ;; esac
      done
      note "prompt yn answered $typed" ;;
    strange)
      choose 'The moon is in the wrong phase. How shall we go on?' 1 'Wait for it' 'Ask somebody'
      note "prompt strange answered $chosen" ;;
    *) echo "scripted agent: unknown question $1" >&2; exit 70 ;;
  esac
}
