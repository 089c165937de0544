import type { CompletedOption, CompletionModel } from './completion-model.ts'
import { commandCases, placeCases, valueCases } from './shell-cases.ts'

/**
 * Writes the script for bash, from 3.2 on, without the package bash-completion.
 *
 * SAFETY: `compgen -W` expands its words, so a name of the store such as `$(cmd)` would run. Names are compared as
 * text, and the command that lists them leaves out every name that a shell could take for more.
 */
export function bashScript(model: CompletionModel): string {
  const { commands, options } = model
  return `# Completion of layerstore for bash: source <(layerstore completion bash)
_layerstore_value() {
  case $1:$2 in
${valueCases(model).join('\n')}
    *) kind= ;;
  esac
}

_layerstore_options() {
  case $1 in
${commands.map(({ names, options: own }) => `    ${names[0]}) kind='${namesOf(own)}' ;;`).join('\n')}
    *) kind='${namesOf(options)}' ;;
  esac
}

_layerstore_place() {
  case $1:$2 in
${placeCases(model).join('\n')}
    *) kind=nothing ;;
  esac
}

_layerstore() {
  # bash splits words at : and =, which references and options hold, so the line is split here.
  local line=\${COMP_LINE:0:COMP_POINT} words word cur previous= command= kind= place=0 i before
  local store=()
  read -ra words <<<"$line"
  case $line in *[[:space:]]) words+=('') ;; esac
  cur=\${words[\${#words[@]} - 1]}
  for ((i = 1; i < \${#words[@]} - 1; i++)); do
    word=\${words[i]}
    previous=
    case $word in
      --store) store=(--store "\${words[i + 1]}"); previous=$word ;;
      --store=*) store=("$word") ;;
      --*=*) ;;
      -*) previous=$word ;;
      *)
        if [ -z "$command" ]; then
          case $word in
${commandCases(commands).join('\n')}
            *) return 0 ;;
          esac
        else
          place=$((place + 1))
        fi
        ;;
    esac
    if [ -n "$previous" ]; then
      _layerstore_value "$command" "$previous"
      if [ -z "$kind" ]; then previous=; elif ((i < \${#words[@]} - 2)); then i=$((i + 1)) previous=; fi
    fi
  done
  case $cur in
    --*=*) previous=\${cur%%=*} cur=\${cur#*=} ;;
  esac
  if [ -n "$previous" ]; then
    _layerstore_value "$command" "$previous"
  elif [[ $cur == -* ]]; then
    _layerstore_options "$command"
  elif [ -z "$command" ]; then
    kind='${commands.map(({ names }) => names.join(' ')).join(' ')}'
  else
    _layerstore_place "$command" $place
  fi
  COMPREPLY=()
  case $kind in
    nothing | '') ;;
    file) compopt -o filenames 2>/dev/null; while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$cur") ;;
    directory) compopt -o filenames 2>/dev/null; while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -d -- "$cur") ;;
    image | container)
      while IFS= read -r word; do
        [[ $word == "$cur"* ]] && COMPREPLY+=("$word")
      done < <(layerstore \${store[@]+"\${store[@]}"} __complete "$kind" 2>/dev/null)
      ;;
    *) for word in $kind; do [[ $word == "$cur"* ]] && COMPREPLY+=("$word"); done ;;
  esac
  # bash replaces only what follows the last : of the word.
  if [[ $COMP_WORDBREAKS == *:* && $cur == *:* ]]; then
    before=\${cur%"\${cur##*:}"}
    for ((i = 0; i < \${#COMPREPLY[@]}; i++)); do COMPREPLY[i]=\${COMPREPLY[i]#"$before"}; done
  fi
  return 0
}
complete -F _layerstore layerstore
`
}

function namesOf(options: readonly CompletedOption[]): string {
  return options.flatMap(({ names }) => names.filter(name => name.startsWith('--'))).join(' ')
}
