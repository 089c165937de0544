import type { Argument, Command, Option } from 'commander'
import { ARGUMENT_CHOICES, CHOICES } from '../program/choices.ts'

/** Completion of one place: words, or a kind of name that the shell or the store completes. */
export type Completed = readonly string[] | 'image' | 'container' | 'file' | 'directory' | 'nothing'

/** An option as completion scripts need it. */
export interface CompletedOption {
  /** Names with their dashes: `-t`, `--tag`. */
  readonly names: readonly string[]
  readonly description: string
  /** Its value; `undefined` for an option without one. */
  readonly value: Completed | undefined
}

/** A command as completion scripts need it. */
export interface CompletedCommand {
  /** Its name, then its aliases. */
  readonly names: readonly string[]
  readonly description: string
  readonly options: readonly CompletedOption[]
  /** Its arguments by place; the last one repeats if there may be more. */
  readonly places: readonly Completed[]
  readonly isVariadic: boolean
}

/** The program as completion scripts need it. */
export interface CompletionModel {
  readonly commands: readonly CompletedCommand[]
  /** Options before the command. */
  readonly options: readonly CompletedOption[]
}

/**
 * Reads the definition of the program, so that a script cannot name what does not exist: its visible commands with
 * their options, arguments and choices.
 */
export function completionModel(program: Command): CompletionModel {
  const help = program.createHelp()
  const commands = help.visibleCommands(program).map((command): CompletedCommand => {
    const { registeredArguments: places } = command
    return {
      names: [command.name(), ...command.aliases()],
      description: command.description(),
      options: optionsOf(command),
      places: places.map((place, i) => argumentOf(place, command.name(), i)),
      isVariadic: places.at(-1)?.variadic ?? false,
    }
  })
  return { commands, options: optionsOf(program) }
}

function optionsOf(command: Command): CompletedOption[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map(option => ({
      names: [option.short, option.long].filter(name => name !== undefined),
      description: option.description,
      value: takenBy(option, command.name()),
    }))
}

function takenBy(option: Option, command: string): Completed | undefined {
  // A value that may be missing must be joined to its option, so the next word is an argument.
  if (!option.required) return undefined
  const own = `${command} ${option.long}`
  if (Object.hasOwn(CHOICES, own)) return CHOICES[own]!
  if (option.long && Object.hasOwn(CHOICES, option.long)) return CHOICES[option.long]!
  return kindOf(VALUES, /[<[]([a-z-]+)/.exec(option.flags)?.[1] ?? '')
}

function argumentOf(argument: Argument, command: string, place: number): Completed {
  const own = `${command} ${place}`
  if (Object.hasOwn(ARGUMENT_CHOICES, own)) return ARGUMENT_CHOICES[own]!
  return kindOf(ARGUMENTS, argument.name())
}

const PLATFORMS = ['linux/amd64', 'linux/arm64', 'linux/arm/v7', 'linux/386', 'linux/ppc64le', 'linux/s390x']

/** Kinds of arguments by their placeholder in the help. */
const ARGUMENTS: Readonly<Record<string, Completed>> = {
  base: 'image',
  context: 'directory',
  dir: 'directory',
  file: 'file',
  id: 'container',
  name: 'image',
  older: 'image',
  other: 'image',
  pattern: 'image',
  ref: 'image',
  src: 'image',
  tar: 'file',
}

/** Kinds of values of options by their placeholder: a `name` is one that the user chooses. */
const VALUES: Readonly<Record<string, Completed>> = {
  base: 'image',
  dir: 'directory',
  file: 'file',
  id: 'container',
  image: 'image',
  p: PLATFORMS,
  ref: 'image',
  src: 'file',
}

function kindOf(kinds: Readonly<Record<string, Completed>>, placeholder: string): Completed {
  return Object.hasOwn(kinds, placeholder) ? kinds[placeholder]! : 'nothing'
}
