import type { UnpackCommandOptions } from '../commands/moving/unpack.ts'
import type { FilesOptions } from '../commands/reading/files.ts'
import type { InspectCommandOptions, PlatformOption } from '../commands/reading/inspect.ts'
import type { GlobalOptions } from '../session/session.ts'
import { type Add, type InSession, onePlatform } from './parts.ts'

/** Adds the commands that read an image, in the store or elsewhere. */
export function addReadingCommands(add: Add, inSession: InSession): void {
  add('inspect <name>', 'describe an image, an index, an artifact or any blob')
    .option(...onePlatform)
    .option('-f, --format <f>', "json as docker prints it, or a template such as '{{.Config.Env}}'")
    .action((name: string, options: GlobalOptions & InspectCommandOptions) =>
      inSession(options, async s => (await import('../commands/reading/inspect.ts')).inspect(s, name, options)),
    )
  add('manifest <name>', 'print a manifest or index, byte for byte')
    .option(...onePlatform)
    .action((name: string, options: GlobalOptions & PlatformOption) =>
      inSession(options, async s => (await import('../commands/reading/documents.ts')).manifest(s, name, options)),
    )
  add('config <name>', 'print an image config, byte for byte')
    .option(...onePlatform)
    .action((name: string, options: GlobalOptions & PlatformOption) =>
      inSession(options, async s => (await import('../commands/reading/documents.ts')).config(s, name, options)),
    )
  add('digest <name>', 'print the digest of an image')
    .option(...onePlatform)
    .action((name: string, options: GlobalOptions & PlatformOption) =>
      inSession(options, async s => (await import('../commands/reading/documents.ts')).digest(s, name, options)),
    )
  add('files <name> [path]', 'list the files of an image without unpacking it')
    .option(...onePlatform)
    .option('-R, --recursive', 'list the directories below too')
    .option('--layers', 'print the digest and the command of the layer that each file comes from')
    .action((name: string, path: string | undefined, options: GlobalOptions & FilesOptions) =>
      inSession(options, async s =>
        (await import('../commands/reading/files.ts')).files(s, name, path ?? '/', options),
      ),
    )
  add('cat <name> <path>', 'print a file of an image, byte for byte')
    .option(...onePlatform)
    .action((name: string, path: string, options: GlobalOptions & PlatformOption) =>
      inSession(options, async s => (await import('../commands/reading/cat.ts')).cat(s, name, path, options)),
    )
}

/** Adds `unpack`. */
export function addUnpackCommand(add: Add, inSession: InSession): void {
  add('unpack <name> <dir>', 'write the root filesystem of a stored image to a directory')
    .option(...onePlatform)
    .option('--rootless', 'do not apply owners and devices (the default for users other than root)')
    .option('--overwrite', 'write into a directory that is not empty')
    .option('--layers <n>', 'write only the lowest n layers')
    .option('--whiteouts <how>', 'apply whiteouts, or overlayfs: apply them and also write them as overlayfs does')
    .option('--devices <how>', 'create, skip or error (default: create what the system allows, report the rest)')
    .option('--keep-set-id', 'keep set-id bits even if owners are not applied')
    .action((name: string, directory: string, options: GlobalOptions & UnpackCommandOptions) =>
      inSession(options, async s => (await import('../commands/moving/unpack.ts')).unpack(s, name, directory, options)),
    )
}
