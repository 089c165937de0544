import { type Command, Option } from 'commander'
import type { CommitCommandOptions } from '../commands/running/commit.ts'
import type { ContainersOptions } from '../commands/running/containers.ts'
import type { RunCommandOptions } from '../commands/running/run.ts'
import type { StartCommandOptions } from '../commands/running/start.ts'
import type { GlobalOptions } from '../session/session.ts'
import { policyOption } from '../signing/policy-of.ts'
import { type Add, collect, type InSession } from './parts.ts'

const SANDBOX = [
  '--sandbox <executor>',
  'isolate the command with bwrap, runc or chroot (default: the first that works)',
] as const
const PULL_WHEN = 'missing, always or never: when to pull the image (default: missing)'

/** Adds `run`, `start`, `commit` and `containers`. */
export function addRunningCommands(add: Add, addRemote: Add, inSession: InSession): void {
  const run = addRemote('run <name> [command...]', 'run a command in a new container of an image')
    .addHelpText('after', EXIT_CODES)
    .option('--rm', 'remove the container at the end (the default)')
    .option('--keep <id>', 'keep the container under this id, to start, commit or compare it')
    .option('--name <id>', 'id of the container while it runs')
  withProcess(run)
    .passThroughOptions()
    .action((name: string, command: string[], options: GlobalOptions & RunCommandOptions) =>
      inSession(options, async s => (await import('../commands/running/run.ts')).run(s, name, command, options)),
    )
  add('start <id>', 'run the command of a kept container again, with what it wrote before')
    .option('-i, --interactive', 'pass standard input on')
    .option(...SANDBOX)
    .action((id: string, options: GlobalOptions & StartCommandOptions) =>
      inSession(options, async s => (await import('../commands/running/start.ts')).start(s, id, options)),
    )
  add('commit <id> [name]', 'make an image of a container and what it has written; prints its digest')
    .option('-a, --author <text>', 'author of the image')
    .option('-m, --message <text>', 'comment in the history')
    .option('-c, --change <instruction>', 'change of the config, as in a Dockerfile; may be repeated', collect)
    .action((id: string, name: string | undefined, options: GlobalOptions & CommitCommandOptions) =>
      inSession(options, async s => (await import('../commands/running/commit.ts')).commit(s, id, name, options)),
    )
  add('containers [act] [id...]', 'list the containers, or: rm ID… to remove, stop ID… to stop them')
    .alias('ps')
    .option('-f, --force', 'with rm: kill a container that runs')
    .option('--no-trunc', 'show commands in full')
    .option('--format <f>', "json, or a template such as '{{.ID}} {{.Image}} {{.State}}'; table before it aligns it")
    .addOption(new Option('-a, --all', 'for scripts of docker: all are listed anyway').hideHelp())
    .option('--time <seconds>', 'with stop: seconds until it is killed (default: 10)')
    .action((act: string | undefined, ids: string[], options: GlobalOptions & ContainersOptions) =>
      inSession(options, async s =>
        (await import('../commands/running/containers.ts')).containers(s, act ?? 'ls', ids, options),
      ),
    )
}

const EXIT_CODES = `
The exit code is that of the command; 128 and the number of a signal that ended it; 125 if no
process was started, 126 if the program cannot be executed, 127 if it does not exist.
A container has the network of this machine: EXPOSE opens no port, and none is mapped.`

function withProcess(command: Command): Command {
  return command
    .option('-e, --env <name=value>', 'environment variable; NAME alone takes the value here; may be repeated', collect)
    .option('--env-file <file>', 'file of variables, one a line; may be repeated', collect)
    .option('-w, --workdir <dir>', 'working directory; it is created if it does not exist')
    .option('-u, --user <user>', 'user[:group], names or numbers')
    .option('--entrypoint <program>', 'program in place of the entrypoint; an empty text for none')
    .option('-v, --volume <host:path[:ro]>', 'directory or file of this machine; may be repeated', collect)
    .option('--mount <mount>', 'type=bind,source=…,target=…[,readonly] or type=tmpfs,target=…', collect)
    .option('--tmpfs <path[:size=n]>', 'directory in memory; may be repeated', collect)
    .option('--network <kind>', 'host, none or default: that of this machine, or only loopback (default: default)')
    .option('--read-only', 'do not let the command change files, except in mounts')
    .option('-i, --interactive', 'pass standard input on')
    .option('-t, --tty', 'give the command a terminal')
    .option('--hostname <name>', 'host name in the container')
    .option('--add-host <name:address>', 'line for /etc/hosts; may be repeated', collect)
    .option('-p, --publish <port>', 'accepted if no port is mapped: ports are those of this machine', collect)
    .option('-m, --memory <n>', 'limit of the memory, e.g. 512MB')
    .option('--pids-limit <n>', 'limit of the number of processes')
    .option('--ulimit <name=soft[:hard]>', 'limit of each process, such as nofile=1024; may be repeated', collect)
    .option('--security-opt <option>', 'seccomp=unconfined allows all system calls', collect)
    .option('--platform <p>', 'platform to select from an index, os/architecture[/variant]')
    .option(...SANDBOX)
    .option('--pull <when>', PULL_WHEN)
    .option(...policyOption)
}
