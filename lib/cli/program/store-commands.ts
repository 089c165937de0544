import { Option } from 'commander'
import type { DfOptions } from '../commands/keeping/df.ts'
import type { FsckOptions } from '../commands/keeping/fsck.ts'
import type { GcOptions } from '../commands/keeping/gc.ts'
import type { RemoveOptions } from '../commands/keeping/remove.ts'
import type { ServeOptions } from '../commands/moving/serve.ts'
import type { ImagesOptions } from '../commands/reading/images.ts'
import type { GlobalOptions } from '../session/session.ts'
import { type Add, collect, type InSession } from './parts.ts'

/** Adds the commands that list the store or change its names. */
export function addNameCommands(add: Add, addRemote: Add, inSession: InSession): void {
  add('images [pattern]', 'list the images in the store; --quiet prints digests only')
    .alias('ls')
    .addHelpText(
      'after',
      '\nPATTERN: a repository or REPOSITORY:TAG; * matches a part between slashes. dangling=true lists nothing: each\nimage in a store has a name.',
    )
    .option(
      '--filter <key=value>',
      'reference=PATTERN, label=NAME[=VALUE], platform=PATTERN, before=NAME, since=NAME, until=TIME, dangling=BOOLEAN',
      collect,
    )
    .addOption(new Option('-a, --all', 'for scripts of docker: all are listed anyway').hideHelp())
    .option('--digests', 'print digests in full')
    .option('--no-trunc', 'print digests in full')
    .option(
      '--format <f>',
      "json, or a template such as '{{.Repository}}:{{.Tag}} {{.Size}}'; table before it aligns it",
    )
    .action((pattern: string | undefined, options: GlobalOptions & ImagesOptions) =>
      inSession(options, async s => (await import('../commands/reading/images.ts')).images(s, pattern, options)),
    )
  add('tag <src> <dst>', 'give a stored image another name').action(
    (source: string, name: string, options: GlobalOptions) =>
      inSession(options, async s => (await import('../commands/reading/names.ts')).tag(s, source, name)),
  )
  addRemote('rm <name...>', 'remove names (tags) or containers from the store, or tags and digests from a registry')
    .option('--remote', 'the names are references in a registry: REPOSITORY:TAG, REPOSITORY@DIGEST')
    .option('--keep-last <n>', 'with --remote REPOSITORY: remove all tags but those of the newest n images')
    .option('--match <pattern>', 'with --keep-last: only tags that match, e.g. build-*')
    .option('--digests', 'with --keep-last: delete by digest, for registries that do not delete tags')
    .option('-n, --dry-run', 'with --keep-last: print what would be removed, and remove nothing')
    .action((names: string[], options: GlobalOptions & RemoveOptions) =>
      inSession(options, async s => (await import('../commands/keeping/remove.ts')).remove(s, names, options)),
    )
}

/** Adds the commands that measure, free and check the store. */
export function addSpaceCommands(add: Add, addRemote: Add, inSession: InSession): void {
  add('gc', 'remove the blobs that no name needs')
    .alias('prune')
    .option('-n, --dry-run', 'print what would be removed, and why; remove nothing')
    .option('--explain', 'with --dry-run: also print what would be kept, and why')
    .option('--keep-last <n>', 'remove the names of all but the last n images of each repository')
    .option('--max-age <d>', 'remove names, unpacked layers and cache mounts that were not used for longer, e.g. 30d')
    .option('--max-bytes <n>', 'remove the least recently used names until the rest fits, e.g. 10GB')
    .option('--max-snapshots <n>', 'remove the least recently used layers that RUN has unpacked until the rest fits')
    .option('--max-cache-mounts <n>', 'remove the least recently used cache mounts of RUN until the rest fits')
    .option('--grace <d>', 'keep blobs that are younger (default: 1h)')
    .option('--keep-unknown', 'continue if a document cannot be parsed; keep the document, not what only it needs')
    .option('--force', 'continue if the store has no names, or with a grace under ten minutes')
    .action((options: GlobalOptions & GcOptions) =>
      inSession(options, async s => (await import('../commands/keeping/gc.ts')).gc(s, options)),
    )
  addRemote('fsck', 'check the store and list its faults; exits with 1 if there is one')
    .option(
      '--repair [from]',
      'fetch damaged and missing blobs from a repository, oci:DIR or an archive, else from where they came',
    )
    .option('--quarantine', 'move corrupt blobs away, even if nothing replaces them')
    .option('--resume', 'continue an interrupted check')
    .option('--no-content', 'check names and sizes only')
    .option('--max-rate <n>', 'read at most this much per second, e.g. 50MB')
    .action((options: GlobalOptions & FsckOptions) =>
      inSession(options, async s => (await import('../commands/keeping/fsck.ts')).fsck(s, options)),
    )
  add('df', 'show the disk usage of the store')
    .option('--images', 'also show that of each image')
    .action((options: GlobalOptions & DfOptions) =>
      inSession(options, async s => (await import('../commands/keeping/df.ts')).df(s, options)),
    )
}

/** Adds `serve`. */
export function addServeCommand(add: Add, inSession: InSession): void {
  add('serve', 'serve the store as a registry until stopped')
    .option('--listen <host:port>', 'address to listen on', '127.0.0.1:5000')
    .option('--read-only', 'refuse pushes')
    .option('--htpasswd <file>', 'admit only these users, with passwords hashed by bcrypt (htpasswd -B)')
    .option('--tls-cert <file>', 'certificate for https, PEM')
    .option('--tls-key <file>', 'private key for https, PEM')
    .option('--upstream <registry>', 'fetch what the store lacks from this registry; refuses pushes')
    .option(
      '--policy <file>',
      'with --upstream: serve only images that this policy allows (default: $LAYERSTORE_POLICY)',
    )
    .option('--ui', 'serve pages about the images too, for a browser: a list, and the report of each')
    .option('--verify <when>', 'hash blobs that are sent: once, and again after a change; or always', 'once')
    .option('--redirects', 'answer a GET of a blob with an address of the bucket that holds the store')
    .option('--workers <n>', 'processes that serve together on the port (default: one per processor, up to 4)')
    .option('--log', 'print one line per request to stderr (errors are always printed)')
    .action((options: GlobalOptions & ServeOptions) =>
      inSession(options, async s => (await import('../commands/moving/serve.ts')).serve(s, options)),
    )
}
