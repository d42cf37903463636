# Completion of omtask for bash (4 and later); zsh reads it after `autoload -U bashcompinit; bashcompinit`.
#
# The program is asked: commands, tasks, flags, the parameters of the task's manifest, and choices are always
# those of the omtask that is called, tasks of your own ($OMTASK_MANIFESTS) among them.

# The first column of the usages below a heading that ends help: `run`, `--threads <n|auto>`.
_omtask_usages() { "$1" "${@:2}" --help 2>/dev/null | sed -n 's/^  \(-*[a-z][^ ]*\( <[^>]*>\)*\).*/\1/p'; }

_omtask() {
  local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  local command=${COMP_WORDS[1]:-} task=${COMP_WORDS[2]:-} call=() usage choices
  COMPREPLY=()
  if [ "$COMP_CWORD" = 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W "$("$program" --help 2>/dev/null |
      sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/\1/p') --help --version" -- "$word")
    return
  fi
  call=("$command")
  case $command in
    run | finalize | plan | preview)
      if [ "$COMP_CWORD" = 2 ] && [[ $word != -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$("$program" tasks 2>/dev/null | sed 's/ .*//')" -- "$word"
          compgen -f -- "$word")
        return
      fi
      call+=("$task") ;;
    manifest | tasks | bench)
      if [ "$COMP_CWORD" = 2 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$("$program" "$command" --help 2>/dev/null |
          sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/\1/p')" -- "$word")
        return
      fi
      call+=("$task") ;;
  esac
  if [[ $before == --* ]]; then
    usage=$(_omtask_usages "$program" "${call[@]}" | grep -- "^$before <" | head -n 1)
    if [ -n "$usage" ]; then
      # Choices stand in the usage, `<stop|fill>`, or in the text, `One of faces, edges, full.`
      choices=$(sed -n 's/.*<\(.*|.*\)>/\1/p' <<<"$usage" | tr '|' ' ')
      [ -n "$choices" ] || choices=$("$program" "${call[@]}" --help 2>/dev/null | tr -s ' \n' ' ' |
        sed -n "s/.* $before <[^>]*> \(.*\)/\1/p" | sed 's/ --[a-z].*//' |
        sed -n 's/.*One of \([^.]*\)\..*/\1/p' | tr -d ',')
      mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word"
        [ -n "$choices" ] || compgen -f -- "$word")
      return
    fi
  fi
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_omtask_usages "$program" "${call[@]}" |
      sed -n 's/^\(--[a-z-]*\).*/\1/p') --help" -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}

complete -o filenames -F _omtask omtask
