import { Option } from 'commander'
import type { BuildCommandOptions } from '../building/build-options.ts'
import type { ContextLsOptions } from '../commands/building/context-ls.ts'
import type { GlobalOptions } from '../session/session.ts'
import { policyOption } from '../signing/policy-of.ts'

import { type Add, collect, type InSession } from './parts.ts'

/** Collects values of an option whose default is `true`. */
function collectStages(stage: string, before: readonly string[] | true): readonly string[] {
  return before === true ? [stage] : [...before, stage]
}

/** Adds `build` and `context`. */
export function addBuildCommands(add: Add, addRemote: Add, inSession: InSession): void {
  addRemote('build [context]', 'build an image from a Dockerfile; prints its digest')
    .addHelpText(
      'after',
      '\nCONTEXT: a directory (default: .), an http(s) or git address, or - for a tar archive on stdin,\nor for a Dockerfile there that copies nothing.',
    )
    .option('-t, --tag <name>', 'name of the image; may be repeated', collect)
    .option('-f, --file <file>', 'Dockerfile, - for stdin (default: Dockerfile or Containerfile in the context)')
    .option('--target <stage>', 'stage to build (default: the last one)')
    .option('--build-arg <name=value>', 'build argument; a name alone takes the value of the environment', collect)
    .option('--platform <p>', 'platform to build for; may be repeated', collect)
    .option(
      '--build-context <name=dir>',
      'further context: a directory, an address, docker-image://REF, oci-layout://DIR[:TAG]',
      collect,
    )
    .option('--label <name=value>', 'label of the image', collect)
    .option('--annotation <name=value>', 'annotation of the manifest, or TYPE[[PLATFORM]]:NAME=VALUE', collect)
    .option('--no-cache', 'run every step again')
    .option('--no-cache-filter <stage>', 'run every step of a stage again; may be repeated', collectStages)
    .option('--cache-from <place>', 'use the cache in REF, DIR, or type=registry|local|archive,…', collect)
    .option('--cache-to <place>', 'write the cache to REF, DIR, or type=registry|local|archive,…', collect)
    .option('--omit-unchanged', 'leave files out of layers that RUN has written and not changed')
    .option('--secret <source>', 'secret for RUN --mount=type=secret: id=ID,src=FILE or id=ID,env=NAME', collect)
    .option('--ssh <agent>', 'agent for RUN --mount=type=ssh: default, or ID=SOCKET', collect)
    .option('--sandbox <executor>', 'run commands with bwrap, runc or chroot (default: the first that works)')
    .option('--memory <size>', 'most memory of each command, such as 2GiB')
    .option('--pids-limit <n>', 'most processes of each command')
    .option('--ulimit <name=soft[:hard]>', 'limit of each process, such as nofile=1024; may be repeated', collect)
    .option('--step-timeout <time>', 'most time of each command, such as 90s, 10m or 1h')
    .option('--add-host <name:address>', 'further host for /etc/hosts of commands; may be repeated', collect)
    .option('--pull', 'ask the registry for every base')
    .option(...policyOption)
    .option('--lock <file>', 'use the bases of this lock file, and write what the build used and made')
    .option('--lock-frozen', 'refuse a base that the lock file does not have; do not write the file')
    .option('--push', 'push the image under its names')
    .addOption(new Option('--load', 'for scripts of docker: the image is in the store anyway').hideHelp())
    .option('--provenance [how]', 'attest how the image was built: mode=min|max[,builder-id=URI] (default: no)')
    .option('--sbom [value]', 'attest the packages of the image, as SPDX; reads all layers (default: no)')
    .option(
      '-o, --output <place>',
      'DIR for the files, - for a tar of them, or type=local|tar|oci|docker|image|registry,…',
      collect,
    )
    .option('--iidfile <file>', 'write the digest of the image to a file')
    .option('--metadata-file <file>', 'write digest, descriptor and names to a file, as JSON')
    .option('--explain', 'print for each step that runs what differs from the last build')
    .option('--check', 'check the Dockerfile as lint does, build nothing; exit code 1 if there are warnings')
    .option('--call <method>', 'build (default), check, outline: what it takes, targets: its stages; ,format=json')
    .option('--plan', 'print which steps would run, and why; build nothing')
    .option('--progress <how>', 'plain, tty, or json: a line for each event (default: tty on a terminal)')
    .action((place: string | undefined, options: GlobalOptions & BuildCommandOptions) =>
      inSession(options, async s => (await import('../commands/building/build.ts')).build(s, place ?? '.', options)),
    )
  add('context <act> [dir]', 'context ls: list the files that a build may copy')
    .option('--why', 'also list the ignored files, each with the pattern that decided')
    .option('-f, --file <file>', 'Dockerfile, whose own ignore file counts (default: Dockerfile in the context)')
    .action((act: string, directory: string | undefined, options: GlobalOptions & ContextLsOptions) =>
      inSession(options, async s =>
        (await import('../commands/building/context-ls.ts')).contextCommand(s, act, directory ?? '.', options),
      ),
    )
}
