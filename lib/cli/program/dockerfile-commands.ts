import type { LintOptions } from '../commands/building/lint.ts'
import type { LockCommandOptions } from '../commands/building/lock.ts'
import type { PinOptions } from '../commands/building/pin.ts'
import type { GlobalOptions } from '../session/session.ts'
import { type Add, collect, type InSession } from './parts.ts'

/** Adds the commands that read Dockerfiles. */
export function addDockerfileCommands(add: Add, addRemote: Add, inSession: InSession): void {
  add('lint [file]', 'check a Dockerfile (- for stdin; default: Dockerfile)')
    .option('--build-arg <name=value>', 'build argument; may be repeated', collect)
    .option('--target <stage>', 'check only the stages that this one needs')
    .option('--platform <p>', 'target platform (default: linux on this machine)')
    .option('--strict', 'end with 1 for advice too')
    .action((file: string | undefined, options: GlobalOptions & LintOptions) =>
      inSession(options, async s =>
        (await import('../commands/building/lint.ts')).lint(s, file ?? 'Dockerfile', options),
      ),
    )
  addRemote('pin [file]', 'write the digests of images into a Dockerfile (- for stdin; default: Dockerfile)')
    .option('--check', 'write nothing; exit code 1 if an image is not pinned or its tag was moved')
    .option('--update', 'also replace the digests of tags that were moved')
    .action((file: string | undefined, options: GlobalOptions & PinOptions) =>
      inSession(options, async s =>
        (await import('../commands/building/pin.ts')).pin(s, file ?? 'Dockerfile', options),
      ),
    )
  addRemote('lock <act> [name] [context]', 'compare an image with a lock file, or look for newer bases')
    .addHelpText(
      'after',
      '\nlock check NAME [CONTEXT]: print the parts of an image that differ from the lock, and why.',
    )
    .addHelpText('after', 'lock update: print the changes that newer bases bring.')
    .option('--lock <file>', 'lock file that build --lock wrote (default: image.lock)')
    .option('-f, --file <file>', 'check: Dockerfile (default: Dockerfile or Containerfile in the context)')
    .option('--target <stage>', 'check: stage that was built')
    .option('--build-arg <name=value>', 'check: build argument; may be repeated', collect)
    .option('--packages', 'update: compare packages too; reads all layers')
    .option('--write', 'update: write the new digests into the lock file')
    .action(
      (
        act: string,
        name: string | undefined,
        context: string | undefined,
        options: GlobalOptions & LockCommandOptions,
      ) =>
        inSession(options, async s =>
          (await import('../commands/building/lock.ts')).lock(s, act, { name, context }, options),
        ),
    )
}
