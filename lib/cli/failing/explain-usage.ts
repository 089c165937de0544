import type { Command, CommanderError } from 'commander'
import { adviseOnCommand } from './unknown-command.ts'

/** Options of docker, podman, crane, skopeo and oras, and what does the same here. */
const OPTIONS: Readonly<Record<string, string>> = {
  '--all': 'use --all-platforms',
  '--arch': 'use --platform OS/ARCHITECTURE',
  '--authfile': 'set REGISTRY_AUTH_FILE',
  '--creds': 'log in with "layerstore login REGISTRY -u USER --password-stdin"',
  '--detach': 'there is no daemon: let the shell or a service manager run it in the background',
  '-d': 'there is no daemon: let the shell or a service manager run it in the background',
  '--dest-tls-verify': 'use --tls-verify, or registries.json for one registry',
  '--src-tls-verify': 'use --tls-verify, or registries.json for one registry',
  '--human': 'use --no-human for times and bytes',
  '--insecure': 'use --plain-http for a registry without TLS, --tls-verify=false for any certificate',
  '--ca-file': 'use --ca FILE',
  '--cacert': 'use --ca FILE',
  '--cert-file': 'use --cert FILE and --key FILE',
  '--os': 'use --platform OS/ARCHITECTURE',
  '--password': 'log in with "layerstore login REGISTRY -u USER --password-stdin"',
  '--username': 'log in with "layerstore login REGISTRY -u USER --password-stdin"',
}

/** Explains a command line that commander has refused, in one line with what to do next. */
export function explainUsage(error: CommanderError, program: Command, args: readonly string[]): string {
  // Commander throws `commander.help` if no command is given.
  if (error.code === 'commander.help') return 'no command given; see "layerstore --help"'
  const message = error.message.replace(/^error: /, '')
  const { operands, unknown } = program.parseOptions([...args])
  const [word] = operands
  const command = word === undefined ? undefined : program.commands.find(one => isNamed(one, word))
  if (word !== undefined && !command) {
    const names = program.commands.flatMap(one => [one.name(), ...one.aliases()])
    const advice = adviseOnCommand([...operands, ...unknown], names)
    return `unknown command ${JSON.stringify(word)}; ${advice}`
  }
  const help = `see "layerstore ${command ? `${command.name()} ` : ''}--help"`
  return `${message.replace(/\.$/, '')}; ${adviceOnUse(error, command) ?? help}`
}

function adviceOnUse({ code, message }: CommanderError, command: Command | undefined): string | undefined {
  const option = /unknown option '(-[^'=]*)/.exec(message)?.[1]
  if (option !== undefined && Object.hasOwn(OPTIONS, option)) return OPTIONS[option]
  if (code === 'commander.excessArguments' && command?.name() === 'images') {
    return '"layerstore tags REPOSITORY" lists the tags in a registry'
  }
  return undefined
}

function isNamed(command: Command, word: string): boolean {
  return command.name() === word || command.aliases().includes(word)
}
