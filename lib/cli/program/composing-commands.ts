import type { Command } from 'commander'
import type { ArtifactOptions, AttachOptions } from '../commands/composing/artifact.ts'
import type { EditCommandOptions } from '../commands/composing/edit.ts'
import type { IndexOptions } from '../commands/composing/image-index.ts'
import type { RebaseOptions } from '../commands/composing/rebase.ts'
import type { ListReferrersOptions } from '../commands/reading/referrers.ts'
import type { GlobalOptions } from '../session/session.ts'
import { policyOption } from '../signing/policy-of.ts'
import { type Add, collect, type InSession, onePlatform, somePlatforms, withRunConfig } from './parts.ts'

/** Adds the commands that make images, indexes and artifacts of what is there already. */
export function addComposingCommands(add: Add, inSession: InSession): void {
  withResult(add('index <act> <name...>', 'create an index of images; append to an index; filter one by platform'))
    .addHelpText('after', '\nACT: create IMAGE…, append INDEX IMAGE…, or filter INDEX --platform P.')
    .option(...somePlatforms)
    .option(...policyOption)
    .action((act: string, names: string[], options: GlobalOptions & IndexOptions) =>
      inSession(options, async s =>
        (await import('../commands/composing/image-index.ts')).imageIndex(s, act, names, options),
      ),
    )
  withResult(add('rebase <name>', 'put the layers of an image on another base; prints the digest'))
    .requiredOption('--onto <base>', 'the new base: a name in the store, or a reference in a registry')
    .option('--from <base>', 'the old base (default: the one that the annotations of the image name)')
    .option('--platform <p>', 'platform to take from an index')
    .option(...policyOption)
    .action((name: string, options: GlobalOptions & RebaseOptions) =>
      inSession(options, async s => (await import('../commands/composing/rebase.ts')).rebase(s, name, options)),
    )
  addEdit(add, inSession)
  withContent(withResult(add('artifact', 'make an artifact of files; prints its digest'))).action(
    (options: GlobalOptions & ArtifactOptions) =>
      inSession(options, async s => (await import('../commands/composing/artifact.ts')).artifact(s, options)),
  )
  withContent(add('attach <name>', 'attach files to an image, in its registry or in the store; prints the digest'))
    .option('--annotation <name=value>', 'annotation of the manifest', collect)
    .action((name: string, options: GlobalOptions & AttachOptions) =>
      inSession(options, async s => (await import('../commands/composing/artifact.ts')).attach(s, name, options)),
    )
  add('referrers <name>', 'list what is attached to an image: signatures, SBOMs, reports')
    .option('--type <t>', 'only artifacts of this type')
    .action((name: string, options: GlobalOptions & ListReferrersOptions) =>
      inSession(options, async s => (await import('../commands/reading/referrers.ts')).referrers(s, name, options)),
    )
}

function addEdit(add: Add, inSession: InSession): void {
  withRunConfig(add('edit <name>', 'change an image without building it: config, layers, format; prints the digest'))
    .option('--push <ref>', 'push the result; no name in the store is needed then')
    .option('--stop-signal <signal>', 'signal that stops the program')
    .option('--healthcheck <command>', 'health check: a command line, a JSON array, or none')
    .option('--unset <member>', 'remove user, entrypoint, cmd, workdir, stop-signal, healthcheck or shell', collect)
    .option('--unset-env <name>', 'remove a variable; may be repeated', collect)
    .option('--unset-label <name>', 'remove a label; may be repeated', collect)
    .option('--unset-port <port>', 'remove an exposed port; may be repeated', collect)
    .option('--unset-volume <path>', 'remove a volume; may be repeated', collect)
    .option('--annotation <name=value>', 'annotation of the manifest; may be repeated', collect)
    .option('--unset-annotation <name>', 'remove an annotation of the manifest; may be repeated', collect)
    .option('--author <text>', 'author of the image')
    .option('--created <time>', 'creation time: seconds or a date (default: that of the image)')
    .option('--set-platform <p>', 'platform that the config states')
    .option('--drop-layer <n>', 'remove a layer: a number from 1, -1 for the highest, FROM..TO, or a digest', collect)
    .option('--squash <from..to>', 'make one layer of several, or of all')
    .option('--flatten', 'make one layer of all; the same as --squash all')
    .option('-d, --dir <dir[:/at]>', 'directory to add as a layer, and its place in the image', collect)
    .option('-f, --file <src[:/at[:mode]]>', 'file to add, its place and its permissions', collect)
    .option('--documents <family>', 'convert the documents: oci or docker')
    .option('--convert <compression>', 'compress the layers anew: gzip, zstd or none')
    .option('--level <n>', 'level of the compression: gzip 0 to 9 (default: 6), zstd 1 to 19 (default: 3)')
    .option(...onePlatform)
    .option(...policyOption)
    .addHelpText(
      'after',
      '\nAn index without --platform: each of its images is edited; their attestations are left out.',
    )
    .action((name: string, options: GlobalOptions & EditCommandOptions) =>
      inSession(options, async s => (await import('../commands/composing/edit.ts')).edit(s, name, options)),
    )
}

function withResult(command: Command): Command {
  return command
    .option('-t, --tag <name>', 'name of the result in the store')
    .option('--push <ref>', 'push the result; no name in the store is needed then')
    .option('--annotation <name=value>', 'annotation of the result', collect)
}

function withContent(command: Command): Command {
  return command
    .requiredOption('--type <t>', 'kind of the artifact, a media type: application/vnd.example.report')
    .option('-f, --file <path[:type]>', 'file to add, and its media type; may be repeated', collect)
}
