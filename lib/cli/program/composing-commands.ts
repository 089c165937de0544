import type { Command } from 'commander'
import type { ArtifactOptions, AttachOptions } from '../commands/composing/artifact.ts'
import type { IndexOptions } from '../commands/composing/image-index.ts'
import type { RebaseOptions } from '../commands/composing/rebase.ts'
import type { ListReferrersOptions } from '../commands/reading/referrers.ts'
import type { GlobalOptions } from '../session/session.ts'
import { type Add, collect, type InSession, somePlatforms } from './parts.ts'

/** Adds the commands that make images, indexes and artifacts of what is there already. */
export function addComposingCommands(add: Add, inSession: InSession): void {
  withResult(add('index <act> <name...>', 'create an index of images; append to an index; filter one by platform'))
    .addHelpText('after', '\nACT: create IMAGE…, append INDEX IMAGE…, or filter INDEX --platform P.')
    .option(...somePlatforms)
    .action((act: string, names: string[], options: GlobalOptions & IndexOptions) =>
      inSession(options, async s =>
        (await import('../commands/composing/image-index.ts')).imageIndex(s, act, names, options),
      ),
    )
  withResult(add('rebase <name>', 'put the layers of an image on another base; prints the digest'))
    .requiredOption('--onto <base>', 'the new base: a name in the store, or a reference in a registry')
    .option('--from <base>', 'the old base (default: the one that the annotations of the image name)')
    .option('--platform <p>', 'platform to take from an index')
    .action((name: string, options: GlobalOptions & RebaseOptions) =>
      inSession(options, async s => (await import('../commands/composing/rebase.ts')).rebase(s, name, options)),
    )
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
