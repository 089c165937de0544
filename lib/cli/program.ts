import { Command, type CommandOptions, Option } from 'commander'
import { UsageError } from './failing/usage-error.ts'
import { addAppendCommand } from './program/append-command.ts'
import { addBuildCommands } from './program/build-commands.ts'
import { addComposingCommands } from './program/composing-commands.ts'
import { addDockerfileCommands } from './program/dockerfile-commands.ts'
import { EXAMPLES } from './program/examples.ts'
import { addInspectingCommands } from './program/inspecting-commands.ts'
import { addArchiveCommands, addLoginCommands, addTransferCommands } from './program/moving-commands.ts'
import type { InSession } from './program/parts.ts'
import { addReadingCommands, addUnpackCommand } from './program/reading-commands.ts'
import { addRunningCommands } from './program/running-commands.ts'
import { addSigningCommands } from './program/signing-commands.ts'
import { addNameCommands, addServeCommand, addSpaceCommands } from './program/store-commands.ts'
import { addToolCommands } from './program/tool-commands.ts'
import { withRegistries } from './registries/registry-options.ts'

/**
 * Defines the commands and their options. The code of a command is imported when it runs.
 *
 * @param only - Defines just the command of this name, not that of an alias; all if there is none. PERF: the options of
 * all commands take 8 ms of a process that takes 100.
 */
export function createProgram(inSession: InSession, version: string, only?: string): Command {
  const program = defineCommands(inSession, version, only)
  return only === undefined || program.commands.length > 0 ? program : defineCommands(inSession, version, undefined)
}

function defineCommands(inSession: InSession, version: string, only: string | undefined): Command {
  const program = new Command('layerstore')
    .description('Container images without a daemon: pull, push, build, assemble, look inside, serve.')
    .version(version, '-V, --version', 'print the version')
    .showSuggestionAfterError()
    // Options after the image of `run` are those of the command in it.
    .enablePositionalOptions()
    .addHelpText('after', AFTER)
  const define = (usage: string, description: string, options: CommandOptions = {}) =>
    only === undefined || usage.split(' ', 1)[0] === only
      ? program.command(usage, options).description(description)
      : UNDEFINED_COMMAND
  const add = (usage: string, description: string) => define(usage, description)
  const addHidden = (usage: string, description: string) => define(usage, description, { hidden: true })
  const remote = new Set<Command>()
  /** Adds a command that connects to registries. */
  const addRemote = (usage: string, description: string) => {
    const command = add(usage, description)
    remote.add(command)
    return command
  }
  program.commandsGroup('Move images:')
  addTransferCommands(addRemote, inSession)
  addArchiveCommands(add, addRemote, inSession)
  addLoginCommands(addRemote, inSession)
  program.commandsGroup('Make images:')
  addAppendCommand(addRemote, inSession)
  addBuildCommands(add, addRemote, inSession)
  addDockerfileCommands(add, addRemote, inSession)
  addComposingCommands(addRemote, inSession)
  program.commandsGroup('Run images:')
  addRunningCommands(add, addRemote, inSession)
  program.commandsGroup('Look inside (in the store or in a registry):')
  addReadingCommands(addRemote, inSession)
  addInspectingCommands(addRemote, inSession)
  addUnpackCommand(add, inSession)
  program.commandsGroup('Trust:')
  addSigningCommands(add, addRemote, inSession)
  program.commandsGroup('Keep the store:')
  addNameCommands(add, addRemote, inSession)
  addSpaceCommands(add, addRemote, inSession)
  addServeCommand(addRemote, inSession)
  program.commandsGroup('This program:')
  addToolCommands(add, addHidden, { inSession, whole: () => defineCommands(inSession, version, undefined) })
  program.commandsGroup('')
  for (const command of program.commands) finish(command, remote.has(command))
  return withGlobals(program)
}

/** Takes the place of a command that is not to be defined: each of its methods returns it. */
const UNDEFINED_COMMAND: Command = new Proxy({} as Command, { get: () => () => UNDEFINED_COMMAND })

const AFTER = `
"layerstore COMMAND --help" prints the options of a command, with examples.

Example:
  $ layerstore append scratch --dir dist:/srv -t site:1
  $ layerstore push site:1 registry.example/site:1`

/** Exit codes of commands whose 1 means more than a failure; `run` and `start` have a paragraph of their own. */
const EXITS: Readonly<Record<string, string>> = {
  analyze: 'Exit code: 0 done; 1 failed, or a limit is exceeded; 2 wrong usage; 130 stopped with Ctrl-C.',
  build: 'Exit code: 0 done; 1 failed, or --check found warnings; 2 wrong usage; 130 stopped with Ctrl-C.',
  check: 'Exit code: 0 done; 1 failed, or an advisory counts; 2 wrong usage; 130 stopped with Ctrl-C.',
  diff: 'Exit code: 0 done; 1 failed, or --exit-code and a difference; 2 wrong usage; 130 stopped with Ctrl-C.',
  fsck: 'Exit code: 0 nothing wrong; 1 failed, or a fault is left; 2 wrong usage; 130 stopped with Ctrl-C.',
  lint: 'Exit code: 0 no warnings; 1 failed, or warnings; 2 wrong usage; 130 stopped with Ctrl-C.',
  lock: 'Exit code: 0 done; 1 failed, or check found a difference; 2 wrong usage; 130 stopped with Ctrl-C.',
  pin: 'Exit code: 0 done; 1 failed, or --check and an image is not pinned; 2 wrong usage; 130 stopped with Ctrl-C.',
  run: '',
  serve: 'Exit code: 0 stopped with Ctrl-C or SIGTERM; 1 failed; 2 wrong usage.',
  start: 'Exit code: that of the command, as for run.',
  validate: 'Exit code: 0 valid; 1 failed, or errors were found; 2 wrong usage; 130 stopped with Ctrl-C.',
}

/** Adds what every command has, after its own options, so that the help lists these first. */
function finish(command: Command, isRemote: boolean): void {
  if (isRemote) withRegistries(command)
  withGlobals(command)
  const exits = EXITS[command.name()] ?? 'Exit code: 0 done; 1 failed; 2 wrong usage; 130 stopped with Ctrl-C.'
  if (exits !== '') command.addHelpText('after', `\n${exits}`)
  const lines = (EXAMPLES[command.name()] ?? []).map(line => `\n  $ ${line}`).join('')
  if (lines !== '') command.addHelpText('after', `\nExamples:${lines}`)
}

function withGlobals(command: Command): Command {
  // `save`, `export` and `build` have an --output of their own.
  if (!command.options.some(({ long }) => long === '--output')) {
    const output = new Option('--output <format>', 'json or table').hideHelp()
    command.addOption(output.argParser(format => setFormat(command, format)))
  }
  return command
    .optionsGroup('Global options:')
    .option(
      '--store <dir>',
      'directory of the store, or s3://BUCKET/PREFIX (default: $LAYERSTORE_STORE, else in the user data folder)',
    )
    .option('--json', 'print one JSON document; the same as --output json')
    .option('-q, --quiet', 'print results only')
    .option('--hasher <engine>', 'implementation that computes digests: wasm or native (default: wasm)')
    .option('-j, --jobs <n>', 'number of concurrent operations (default: 4)')
}

/** `--output json` is `--json`, as kubectl, crane and podman have it. */
function setFormat(command: Command, format: string): string {
  if (format !== 'json' && format !== 'table') {
    throw new UsageError(`--output takes json or table; got ${JSON.stringify(format)}`)
  }
  if (format === 'json') command.setOptionValue('json', true)
  return format
}
