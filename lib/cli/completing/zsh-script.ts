import type { CompletedOption, CompletionModel } from './completion-model.ts'
import { commandCases, placeCases, valueCases } from './shell-cases.ts'

/** Writes the script for zsh: to be sourced after `compinit`, or as the file `_layerstore` in a folder of `fpath`. */
export function zshScript(model: CompletionModel): string {
  const { commands, options } = model
  return `#compdef layerstore
# Completion of layerstore for zsh: source <(layerstore completion zsh)

_layerstore_offer() {
  case $1 in
    nothing) _message 'no completion' ;;
    file) _files ;;
    directory) _files -/ ;;
    image | container) compadd -- \${(f)"$(layerstore "\${store[@]}" __complete $1 2>/dev/null)"} ;;
    *) compadd -- \${=1} ;;
  esac
}

_layerstore_value() {
  case $1:$2 in
${valueCases(model).join('\n')}
    *) kind= ;;
  esac
}

_layerstore_place() {
  case $1:$2 in
${placeCases(model).join('\n')}
    *) kind=nothing ;;
  esac
}

_layerstore_options() {
  case $1 in
${commands.map(({ names, options: own }) => `    ${names[0]}) described=(\n${described(own)}\n    ) ;;`).join('\n')}
    *) described=(
${described(options)}
    ) ;;
  esac
}

_layerstore() {
  local command= kind= word previous= i place=0
  local -a store described
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    previous=
    case $word in
      --store) store=(--store "$words[i+1]"); previous=$word ;;
      --store=*) store=("$word") ;;
      --*=*) ;;
      -*) previous=$word ;;
      *)
        if [[ -z $command ]]; then
          case $word in
${commandCases(commands).join('\n')}
            *) return 1 ;;
          esac
        else
          ((place += 1))
        fi
        ;;
    esac
    if [[ -n $previous ]]; then
      _layerstore_value "$command" "$previous"
      if [[ -z $kind ]]; then previous=; elif ((i < CURRENT - 1)); then ((i += 1)); previous=; fi
    fi
  done
  if [[ $words[CURRENT] == --*=* ]]; then
    previous=\${words[CURRENT]%%=*}
    compset -P '*='
  fi
  if [[ -n $previous ]]; then
    _layerstore_value "$command" "$previous"
    _layerstore_offer "$kind"
  elif [[ $words[CURRENT] == -* ]]; then
    _layerstore_options "$command"
    _describe -o option described
  elif [[ -z $command ]]; then
    described=(
${commands.map(({ names, description }) => `      ${line(names[0]!, description)}`).join('\n')}
    )
    _describe command described
  else
    _layerstore_place "$command" $place
    _layerstore_offer "$kind"
  fi
}

if [[ $funcstack[1] == _layerstore ]]; then _layerstore "$@"; else compdef _layerstore layerstore; fi
`
}

function described(options: readonly CompletedOption[]): string {
  return options.map(({ names, description }) => `      ${line(names.at(-1)!, description)}`).join('\n')
}

/** An entry of `_describe`: a word and its description, between them a colon. */
function line(word: string, description: string): string {
  return `'${`${word.replaceAll(':', '\\:')}:${description}`.replaceAll("'", "'\\''")}'`
}
