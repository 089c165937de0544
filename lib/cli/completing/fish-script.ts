import type { Completed, CompletedCommand, CompletedOption, CompletionModel } from './completion-model.ts'

/** Writes the script for fish: to be sourced, or as `~/.config/fish/completions/layerstore.fish`. */
export function fishScript({ commands, options }: CompletionModel): string {
  const withValue = options.flatMap(({ names, value }) => (value === undefined ? [] : names))
  return `# Completion of layerstore for fish: layerstore completion fish | source
# Sets layerstore_command, layerstore_place and layerstore_store by the words before the cursor.
function __layerstore_parse
    set -g layerstore_command ''
    set -g layerstore_place 0
    set -g layerstore_store
    set -l words (commandline -opc)
    set -l skip 0
    set -l before ''
    for word in $words[2..-1]
        if test $skip = 1
            set skip 0
            test "$before" = --store; and set -g layerstore_store --store $word
            continue
        end
        set before $word
        switch $word
            case '--store=*'
                set -g layerstore_store $word
            case '--*=*'
            case '-*'
                __layerstore_takes_value "$layerstore_command" $word; and set skip 1
            case '*'
                if test -z "$layerstore_command"
                    switch $word
${commands.map(({ names }) => `                        case ${names.join(' ')}\n                            set -g layerstore_command ${names[0]}`).join('\n')}
                        case '*'
                            set -g layerstore_command unknown
                    end
                else
                    set -g layerstore_place (math $layerstore_place + 1)
                end
        end
    end
end

function __layerstore_takes_value
    switch "$argv[1] $argv[2]"
        case ${withValue.map(name => `'* ${name}'`).join(' ')}
            return 0
${commands.flatMap(takesValue).join('\n')}
    end
    return 1
end

function __layerstore_is
    __layerstore_parse
    test "$layerstore_command" = "$argv[1]"
end

function __layerstore_at
    __layerstore_is $argv[1]; and test $layerstore_place -ge $argv[2] -a $layerstore_place -le $argv[3]
end

function __layerstore_names
    __layerstore_parse
    layerstore $layerstore_store __complete $argv[1] 2>/dev/null
end

complete -c layerstore -f
${commands.map(({ names: [name], description }) => `complete -c layerstore -n "__layerstore_is ''" -a ${name} -d ${quoted(description)}`).join('\n')}
${options.map(option => optionLine("''", option)).join('\n')}
${commands.flatMap(linesOf).join('\n')}
`
}

function takesValue({ names: [name], options }: CompletedCommand): string[] {
  const own = options.flatMap(({ names, value }) => (value === undefined ? [] : names))
  return own.length === 0 ? [] : [`        case ${own.map(one => `'${name} ${one}'`).join(' ')}\n            return 0`]
}

function linesOf({ names: [name], options, places, isVariadic }: CompletedCommand): string[] {
  const offered = places.map((place, i) => {
    const most = isVariadic && i === places.length - 1 ? 9999 : i
    return place === 'nothing'
      ? []
      : [`complete -c layerstore -n "__layerstore_at ${name} ${i} ${most}" ${offer(place)}`]
  })
  return [...options.map(option => optionLine(name!, option)), ...offered.flat()]
}

function optionLine(command: string, { names, description, value }: CompletedOption): string {
  const flags = names.map(name => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(' ')
  const taken =
    value === undefined ? '' : value === 'nothing' ? ' -x' : ` ${value === 'file' ? '-r' : '-x'} ${offer(value)}`
  return `complete -c layerstore -n "__layerstore_is ${command}" ${flags}${taken} -d ${quoted(description)}`
}

function offer(value: Completed): string {
  if (value === 'file') return '-F'
  if (value === 'directory') return "-a '(__fish_complete_directories)'"
  if (value === 'nothing') return ''
  if (typeof value === 'string') return `-a '(__layerstore_names ${value})'`
  return `-a '${value.join(' ')}'`
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
