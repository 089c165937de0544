import { type Command, CommanderError } from 'commander'
import { FOREIGN_OPTIONS } from './foreign-options.ts'
import { adviseOnCommand } from './unknown-command.ts'

/** Explains a command line that commander has refused, in one line with what to do next. */
export function explainUsage(error: CommanderError, program: Command, args: readonly string[]): string {
  const message = error.message.replace(/^error: /, '')
  const { operands, unknown } = parseWords(program, args)
  const words = operands[0] === 'help' ? operands.slice(1) : operands
  const word = words.find(one => one !== 'help')
  const command = word === undefined ? undefined : program.commands.find(one => isNamed(one, word))
  if (word !== undefined && !command) {
    const names = program.commands.flatMap(one => [one.name(), ...one.aliases()])
    const advice = adviseOnCommand([...words, ...unknown], names)
    return `unknown command ${JSON.stringify(word)}; ${advice}`
  }
  // Commander throws `commander.help` if no command is given.
  if (error.code === 'commander.help') return 'no command given; see "layerstore --help"'
  const help = `see "layerstore ${command ? `${command.name()} ` : ''}--help"`
  const advice = adviceOnUse(error, command)
  // Beside advice the suggestion by spelling would mislead, as --force for --filter.
  const said = advice ? message.replace(/\s*\(Did you mean .*\)$/s, '') : message
  return `${said.replace(/\.$/, '')}; ${advice ?? help}`
}

/** The words of a command line without the global options; none if one of these lacks its value, as in `--store`. */
export function parseWords(
  program: Command,
  args: readonly string[],
): { readonly operands: readonly string[]; readonly unknown: readonly string[] } {
  try {
    return program.parseOptions([...args])
  } catch (error) {
    if (error instanceof CommanderError) return { operands: [], unknown: [] }
    throw error
  }
}

function adviceOnUse({ code, message }: CommanderError, command: Command | undefined): string | undefined {
  const option = /unknown option '(-[^'=]*)/.exec(message)?.[1]
  const own = `${command?.name()} ${option}`
  if (Object.hasOwn(FOREIGN_OPTIONS, own)) return FOREIGN_OPTIONS[own]
  if (option !== undefined && Object.hasOwn(FOREIGN_OPTIONS, option)) return FOREIGN_OPTIONS[option]
  if (code === 'commander.excessArguments' && command?.name() === 'images') {
    return '"layerstore tags REPOSITORY" lists the tags in a registry'
  }
  if (code === 'commander.excessArguments' && command?.name() === 'load') return 'name the archive with -i FILE'
  if (code === 'commander.missingArgument' && command?.name() === 'completion') return 'give bash, zsh or fish'
  return undefined
}

function isNamed(command: Command, word: string): boolean {
  return command.name() === word || command.aliases().includes(word)
}
