import type { Command } from 'commander'
import type { GlobalOptions, Session } from '../session/session.ts'

/** Opens a session with the given options, runs `act` in it, and closes it. */
export type InSession = (options: GlobalOptions, act: (session: Session) => Promise<void>) => Promise<void>

/** Adds a command and returns it. */
export type Add = (usage: string, description: string) => Command

/** The option for one or several platforms. */
export const somePlatforms = [
  '--platform <p>',
  'platform to select, os/architecture[/variant]; may be repeated',
  collect,
] as const

/** Collects the values of an option that may be repeated. */
export function collect(value: string, before: string[] = []): string[] {
  return [...before, value]
}

/** The option for one platform. */
export const onePlatform = ['--platform <p>', 'platform to select from an index, os/architecture[/variant]'] as const

/** Adds the options to make a plan without running it, and to run a stored plan later. */
export function withStoredPlan(command: Command): Command {
  return command
    .option('--plan', 'print what would move, and move nothing')
    .option('--from-plan <file>', 'run the plan that --plan --json printed (- for stdin), instead of the arguments')
    .option('--if-changed <how>', 'if the plan no longer holds: adapt it, or fail (default: adapt)')
}

/** Adds the options that set the name and the config of the resulting image. */
export function withRunConfig(command: Command): Command {
  return command
    .option('-t, --tag <name>', 'name of the result in the store')
    .option('--cmd <json>', 'command, as a JSON array')
    .option('--entrypoint <json>', 'entrypoint, as a JSON array')
    .option('-e, --env <name=value>', 'environment variable; may be repeated', collect)
    .option('-l, --label <name=value>', 'label; may be repeated', collect)
    .option('-w, --workdir <dir>', 'working directory')
    .option('-u, --user <user>', 'user that runs the command')
    .option('--expose <port[/protocol]>', 'port that the container listens on; may be repeated', collect)
    .option('--volume <path>', 'directory for data; may be repeated', collect)
}
