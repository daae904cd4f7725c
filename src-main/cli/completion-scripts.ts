// All three ask `icebox __complete` for lines of `value<TAB>description` and show them.

export const bashScript = `# icebox completion for bash: source <(icebox completion bash)
_icebox() {
  local line=\${COMP_LINE:0:COMP_POINT} words candidate current kept=
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=\${words[\${#words[@]}-1]}
  # bash ends a word at @, so what stands before it is on the line already.
  [[ $COMP_WORDBREAKS == *@* && $current == *@* ]] && kept=\${current%@*}@
  COMPREPLY=()
  while IFS= read -r candidate; do
    candidate=\${candidate%%$'\\t'*}
    COMPREPLY+=("\${candidate#"$kept"}")
  done < <("\${words[0]}" __complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -o default -F _icebox icebox
`

export const zshScript = `#compdef icebox
# icebox completion for zsh: source <(icebox completion zsh)
_icebox() {
  local line
  local -a values shown
  for line in "\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -z $line ]] && continue
    values+=("\${line%%$'\\t'*}")
    shown+=("\${line/$'\\t'/  -- }")
  done
  if (( \${#values} )); then
    compadd -l -d shown -a values
  else
    _files
  fi
}
if [[ \${funcstack[1]} == _icebox ]]; then
  _icebox "$@"
else
  compdef _icebox icebox
fi
`

export const fishScript = `# icebox completion for fish: icebox completion fish | source
function __icebox_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  command $words[1] __complete -- $words[2..-1] "$current" 2>/dev/null
end
complete -c icebox -f -a '(__icebox_complete)'
complete -c icebox -l cwd -r -F
complete -c icebox -l home -r -F
`
