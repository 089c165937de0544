import type { LintOptions } from '../commands/building/lint.ts'
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
}
