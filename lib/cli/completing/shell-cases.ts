import type { Completed, CompletedCommand, CompletedOption, CompletionModel } from './completion-model.ts'

/** Lines of `case $1:$2 in` that set the kind of value of each option, by command and option. */
export function valueCases({ commands, options }: CompletionModel): string[] {
  return [...casesOf('', options), ...commands.flatMap(({ names, options: own }) => casesOf(names[0]!, own))]
}

function casesOf(command: string, options: readonly CompletedOption[]): string[] {
  return options.flatMap(({ names, value }) =>
    value === undefined ? [] : [`    ${names.map(name => `${command}:${name}`).join(' | ')}) ${kindOf(value)} ;;`],
  )
}

/** Lines of `case $1:$2 in` that set the kind of each argument, by command and place. */
export function placeCases({ commands }: CompletionModel): string[] {
  return commands.flatMap(({ names, places, isVariadic }) =>
    places.map((place, i) => {
      const repeats = isVariadic && i === places.length - 1
      return `    ${names[0]}:${repeats ? '*' : i}) ${kindOf(place)} ;;`
    }),
  )
}

/** Lines of `case $word in` that set the name of a command, of which the word may be an alias. */
export function commandCases(commands: readonly CompletedCommand[]): string[] {
  return commands.map(({ names }) => `            ${names.join(' | ')}) command=${names[0]} ;;`)
}

function kindOf(value: Completed): string {
  return `kind='${typeof value === 'string' ? value : value.join(' ')}'`
}
