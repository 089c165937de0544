import type { CopyCommandOptions } from '../commands/moving/copy.ts'
import type { ExportOptions } from '../commands/moving/export.ts'
import type { ImportOptions } from '../commands/moving/import.ts'
import type { LoadOptions } from '../commands/moving/load.ts'
import type { PullOptions } from '../commands/moving/pull.ts'
import type { PushOptions } from '../commands/moving/push.ts'
import type { SaveOptions } from '../commands/moving/save.ts'
import type { LoginOptions } from '../commands/registries/login.ts'
import type { GlobalOptions } from '../session/session.ts'
import { policyOption } from '../signing/policy-of.ts'
import {
  type Add,
  collect,
  type InSession,
  onePlatform,
  somePlatforms,
  withRunConfig,
  withStoredPlan,
} from './parts.ts'

/** Adds the commands that move images between registries, stores and layouts. */
export function addTransferCommands(add: Add, inSession: InSession): void {
  withStoredPlan(add('pull [ref]', 'pull an image into the store; prints its digest'))
    .option(...somePlatforms)
    .option('--all-platforms', 'pull every platform of the index')
    .option('--verify-diff-ids', 'open every layer and compare it with the diffID in the image config')
    .option('-t, --tag <name>', 'name in the store (default: the reference)')
    .option(...policyOption)
    .action((ref: string | undefined, options: GlobalOptions & PullOptions) =>
      inSession(options, async s => (await import('../commands/moving/pull.ts')).pull(s, ref, options)),
    )
  withStoredPlan(add('push [name] [ref]', 'push a stored image to a registry; prints its digest'))
    .option(...somePlatforms)
    .option('--all-platforms', 'push every platform of the index (the default)')
    .option('-t, --tag <tag>', 'further tag in the registry; may be repeated', collect)
    .action((name: string | undefined, ref: string | undefined, options: GlobalOptions & PushOptions) =>
      inSession(options, async s => (await import('../commands/moving/push.ts')).push(s, name, ref, options)),
    )
  withStoredPlan(add('copy [src] [dst]', 'copy an image with all its platforms; prints its digest'))
    .addHelpText(
      'after',
      '\nSRC and DST: a registry reference (or docker://REF), store:NAME, oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME].',
    )
    .option(...somePlatforms)
    .option('--all-platforms', 'copy every platform of the index (the default)')
    .option('--referrers', 'also copy signatures and everything else that is attached to the image')
    .option('--verify-diff-ids', 'into a store: compare every layer with the diffID in the image config')
    .option('-t, --tag <tag>', 'further tag at the target; may be repeated', collect)
    .option(...policyOption)
    .action((from: string | undefined, to: string | undefined, options: GlobalOptions & CopyCommandOptions) =>
      inSession(options, async s => (await import('../commands/moving/copy.ts')).copy(s, from, to, options)),
    )
  add('tags <repository>', 'list the tags of a repository in a registry').action(
    (repository: string, options: GlobalOptions) =>
      inSession(options, async s => (await import('../commands/reading/tags.ts')).tags(s, repository)),
  )
}

/** Adds the commands that keep the logins of registries. */
export function addLoginCommands(addRemote: Add, inSession: InSession): void {
  addRemote('login [registry]', 'check a password with a registry (default: docker.io) and keep it where docker does')
    .option('-u, --username <user>', 'user name')
    .option('--password-stdin', 'read the password or token from stdin')
    .action((registry: string | undefined, options: GlobalOptions & LoginOptions) =>
      inSession(options, async s =>
        (await import('../commands/registries/login.ts')).login(s, registry ?? 'docker.io', options),
      ),
    )
  addRemote('logout [registry]', 'remove the login of a registry (default: docker.io)').action(
    (registry: string | undefined, options: GlobalOptions) =>
      inSession(options, async s =>
        (await import('../commands/registries/logout.ts')).logout(s, registry ?? 'docker.io'),
      ),
  )
}

/** Adds the commands that move images between the store and files. */
export function addArchiveCommands(add: Add, addRemote: Add, inSession: InSession): void {
  addRemote('save <name...>', 'write stored images to one archive file')
    .option('-o, --output <file>', 'file to write; - for stdout (the default)', '-')
    .option(
      '--format <f>',
      'oci (a layout only), or docker (fails without docker’s list); the default has both if it can',
    )
    .option('--have <image>', 'omit the layers of an image or archive that the receiver has; may be repeated', collect)
    .option(...onePlatform)
    .option('--compression <kind>', 'compression of the whole file: none, gzip or zstd', 'none')
    .action((names: string[], options: GlobalOptions & SaveOptions) =>
      inSession(options, async s => (await import('../commands/moving/save.ts')).save(s, names, options)),
    )
  addRemote('export <name>', 'write the root filesystem of an image or a container as one tar')
    .option('-o, --output <file>', 'file to write; - for stdout (the default)', '-')
    .option(...onePlatform)
    .option('--compression <kind>', 'compression of the file: none, gzip or zstd', 'none')
    .option(...policyOption)
    .action((name: string, options: GlobalOptions & ExportOptions) =>
      inSession(options, async s => (await import('../commands/moving/export.ts')).exportRootfs(s, name, options)),
    )
  add('load', 'load the images of an archive (save, docker save, skopeo) into the store; prints their names')
    .option(
      '-i, --input <file>',
      'file, or oci-archive:FILE[:TAG], docker-archive:FILE[:NAME]; - for stdin (the default)',
      '-',
    )
    .option('-t, --tag <name>', 'name in the store, for an archive of one image')
    .option(...onePlatform)
    .option(...policyOption)
    .action((options: GlobalOptions & LoadOptions) =>
      inSession(options, async s => (await import('../commands/moving/load.ts')).load(s, options)),
    )
  withRunConfig(add('import <tar>', 'make an image of the tar of a root filesystem (- for stdin); prints its digest'))
    .option('--platform <p>', 'platform of the image (default: linux/amd64)')
    .option('--compression <kind>', 'compression of a plain tar: gzip, zstd or none', 'gzip')
    .action((source: string, options: GlobalOptions & ImportOptions) =>
      inSession(options, async s => (await import('../commands/moving/import.ts')).importCommand(s, source, options)),
    )
}
