import { Command } from 'commander'
import { addBuildCommands } from './building/add-build-commands.ts'
import type { AppendOptions } from './commands/append.ts'
import type { CopyCommandOptions } from './commands/copy.ts'
import type { DfOptions } from './commands/df.ts'
import type { FilesOptions } from './commands/files.ts'
import type { FsckOptions } from './commands/fsck.ts'
import type { GcOptions } from './commands/gc.ts'
import type { ImportOptions } from './commands/import.ts'
import type { PlatformOption } from './commands/inspect.ts'
import type { LoadOptions } from './commands/load.ts'
import type { PullOptions } from './commands/pull.ts'
import type { PushOptions } from './commands/push.ts'
import type { RemoveOptions } from './commands/remove.ts'
import type { SaveOptions } from './commands/save.ts'
import type { ServeOptions } from './commands/serve.ts'
import type { UnpackCommandOptions } from './commands/unpack.ts'
import { addComposingCommands } from './program/composing-commands.ts'
import { addDockerfileCommands } from './program/dockerfile-commands.ts'
import { type Add, collect, type InSession, somePlatforms } from './program/parts.ts'
import { withRegistries } from './registries/registry-options.ts'
import type { GlobalOptions } from './session.ts'

/** Defines the commands and their options. The code of a command is imported when it runs. */
export function createProgram(inSession: InSession, version: string): Command {
  const program = new Command('layerstore')
    .description('Container images without a daemon: pull, push, assemble, look inside, serve.')
    .version(version, '-V, --version')
    .showSuggestionAfterError()
  const add = (usage: string, description: string) => program.command(usage).description(description)
  const remote = new Set<Command>()
  /** Adds a command that connects to registries. */
  const addRemote = (usage: string, description: string) => {
    const command = add(usage, description)
    remote.add(command)
    return command
  }

  withStoredPlan(addRemote('pull [ref]', 'bring an image into the store; prints its digest'))
    .option(...somePlatforms)
    .option('--all-platforms', 'take every platform of the index')
    .option('--verify-diff-ids', 'open every layer and compare it with what the image config lists')
    .option('-t, --tag <name>', 'name in the store')
    .action((ref: string | undefined, options: GlobalOptions & PullOptions) =>
      inSession(options, async s => (await import('./commands/pull.ts')).pull(s, ref, options)),
    )
  withStoredPlan(addRemote('push [name] [ref]', 'upload a stored image; prints its digest'))
    .option(...somePlatforms)
    .option('--all-platforms', 'take every platform of the index (the default)')
    .option('-t, --tag <tag>', 'another tag for the image; may be repeated', collect)
    .action((name: string | undefined, ref: string | undefined, options: GlobalOptions & PushOptions) =>
      inSession(options, async s => (await import('./commands/push.ts')).push(s, name, ref, options)),
    )
  const append = addRemote(
    'append <base>',
    'add directories and files on top of an image (or of scratch); prints its digest',
  )
    .option('-d, --dir <dir[:/at]>', 'directory to add as a layer, and where in the image', collect)
    .option(
      '-f, --file <src[:/at[:mode]]>',
      'file to add, where, and its permissions; all files are one layer',
      collect,
    )
    .option('--push <ref>', 'push the result; no name in the store is needed then')
    .option('--pull', 'fetch the layers of the base too; without it they stay in the registry')
    .option('--annotation <name=value>', 'annotation of the manifest', collect)
    .option('--created <time>', 'creation time: seconds or a date (default: SOURCE_DATE_EPOCH or 0)')
  addConfigOptions(append).option('--platform <p>', 'platform of the base to take, or of an image from scratch')
  addWritingOptions(append).action((base: string, options: GlobalOptions & AppendOptions) =>
    inSession(options, async s => (await import('./commands/append.ts')).append(s, base, options)),
  )
  addComposingCommands(addRemote, inSession)
  addBuildCommands({ add, addRemote, inSession, collect })
  addCopyCommands(addRemote, inSession)
  addReadingCommands(addRemote, inSession)
  addLocalCommands(add, addRemote, inSession)
  addSpaceCommands(add, addRemote, inSession)
  addRootfsCommands(add, inSession)
  addArchiveCommands(add, addRemote, inSession)
  addDockerfileCommands(add, inSession)
  addRemote('serve', 'offer the store as a registry until stopped')
    .option('--listen <host:port>', 'address to listen on', '127.0.0.1:5000')
    .option('--read-only', 'refuse pushes')
    .option('--htpasswd <file>', 'let in only these users, with passwords hashed by bcrypt (htpasswd -B)')
    .option('--tls-cert <file>', 'certificate for https, PEM')
    .option('--tls-key <file>', 'private key for https, PEM')
    .option('--upstream <registry>', 'fetch what is not in the store from this registry; refuses pushes')
    .option('--log', 'print a line for every request to stderr (errors are printed always)')
    .action((options: GlobalOptions & ServeOptions) =>
      inSession(options, async s => (await import('./commands/serve.ts')).serve(s, options)),
    )
  // Last, so that the help lists the options of the command itself first.
  for (const command of program.commands) withGlobals(remote.has(command) ? withRegistries(command) : command)
  return withGlobals(program)
}

/** Adds the options that set the name and the config of the resulting image. */
function addConfigOptions(command: Command): Command {
  return command
    .option('-t, --tag <name>', 'name of the result in the store')
    .option('--cmd <json>', 'command, as a JSON array')
    .option('--entrypoint <json>', 'entrypoint, as a JSON array')
    .option('-e, --env <name=value>', 'environment variable', collect)
    .option('-l, --label <name=value>', 'label', collect)
    .option('-w, --workdir <dir>', 'working directory')
    .option('-u, --user <user>', 'user')
    .option('--expose <port[/protocol]>', 'port that the container listens on', collect)
    .option('--volume <path>', 'directory for data', collect)
}

/** Adds the options that set how a directory becomes a layer. */
function addWritingOptions(command: Command): Command {
  return command
    .option('--compression <kind>', 'gzip, zstd or none', 'gzip')
    .option('--level <n>', 'level of the compression: gzip 0 to 9 (default: 6), zstd 1 to 19 (default: 3)')
    .option(
      '--mtime <time>',
      'seconds, a date, source, or clamp[:time]: as in the source but no later (default: SOURCE_DATE_EPOCH or 0)',
    )
    .option('--owner <uid[:gid]>', 'owner of all files, or source (default: 0:0)')
    .option('--map-uid <from=to>', 'change one owner, keep the others', collect)
    .option('--map-gid <from=to>', 'change one group, keep the others', collect)
    .option(
      '--mode <mode>',
      'normal (0644, 0755 if it runs), source, 0640 or 0640:0750 for files:directories',
      'normal',
    )
    .option('--ignore <pattern>', 'leave out, a pattern as in a .dockerignore file', collect)
    .option('--ignore-file <file>', 'leave out what the patterns in a file say')
    .option('--hard-links <how>', 'keep them, or copy the file for each name', 'keep')
    .option('--xattrs', 'keep extended attributes (needs the package fs-xattr)')
    .option('--no-parents', 'make no entries for the directory in the image and those above it')
}

/** Adds the commands that can work without the session's store. */
function addCopyCommands(add: Add, inSession: InSession): void {
  withStoredPlan(add('copy [src] [dst]', 'copy an image with all its platforms; prints its digest'))
    .addHelpText(
      'after',
      '\nSRC and DST: a registry reference (or docker://REF), store:NAME, oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME].',
    )
    .option(...somePlatforms)
    .option('--all-platforms', 'take every platform of the index (the default)')
    .option('--referrers', 'take along signatures and whatever else refers to the image')
    .option('--verify-diff-ids', 'into a store: compare every layer with what the image config lists')
    .option('-t, --tag <tag>', 'another tag at the target; may be repeated', collect)
    .action((from: string | undefined, to: string | undefined, options: GlobalOptions & CopyCommandOptions) =>
      inSession(options, async s => (await import('./commands/copy.ts')).copy(s, from, to, options)),
    )
  add('tags <repository>', 'list the tags of a repository in a registry').action(
    (repository: string, options: GlobalOptions) =>
      inSession(options, async s => (await import('./commands/tags.ts')).tags(s, repository)),
  )
}

/** Adds the commands that list the store or change its names. */
function addLocalCommands(add: Add, addRemote: Add, inSession: InSession): void {
  add('images', 'list the names in the store')
    .alias('ls')
    .action((options: GlobalOptions) => inSession(options, async s => (await import('./commands/images.ts')).images(s)))
  add('tag <src> <dst>', 'give a stored image another name').action(
    (source: string, name: string, options: GlobalOptions) =>
      inSession(options, async s => (await import('./commands/names.ts')).tag(s, source, name)),
  )
  addRemote('rm <name...>', 'remove names (tags) from the store, or tags and digests from a registry')
    .option('--remote', 'the names are references in a registry: REPOSITORY:TAG, REPOSITORY@DIGEST')
    .option('--keep-last <n>', 'with --remote REPOSITORY: remove all tags but those of the newest n images')
    .option('--match <pattern>', 'with --keep-last: only tags that fit, e.g. build-*')
    .option('--digests', 'with --keep-last: delete by digest, for registries that do not delete tags')
    .option('-n, --dry-run', 'with --keep-last: show what would go; remove nothing')
    .action((names: string[], options: GlobalOptions & RemoveOptions) =>
      inSession(options, async s => (await import('./commands/remove.ts')).remove(s, names, options)),
    )
}

/** Adds the commands that read an image, in the store or elsewhere. */
function addReadingCommands(add: Add, inSession: InSession): void {
  const platform = ['--platform <p>', 'platform to take from an index'] as const
  add('inspect <name>', 'describe an image, an index, an artifact or any blob')
    .option(...platform)
    .action((name: string, options: GlobalOptions & PlatformOption) =>
      inSession(options, async s => (await import('./commands/inspect.ts')).inspect(s, name, options)),
    )
  add('manifest <name>', 'print a manifest or index, byte for byte')
    .option(...platform)
    .action((name: string, options: GlobalOptions & PlatformOption) =>
      inSession(options, async s => (await import('./commands/documents.ts')).manifest(s, name, options)),
    )
  add('config <name>', 'print an image config, byte for byte')
    .option(...platform)
    .action((name: string, options: GlobalOptions & PlatformOption) =>
      inSession(options, async s => (await import('./commands/documents.ts')).config(s, name, options)),
    )
  add('digest <name>', 'print the digest of an image')
    .option(...platform)
    .action((name: string, options: GlobalOptions & PlatformOption) =>
      inSession(options, async s => (await import('./commands/documents.ts')).digest(s, name, options)),
    )
  add('files <name> [path]', 'list the files of an image without unpacking it')
    .option(...platform)
    .option('-R, --recursive', 'list directories below as well')
    .action((name: string, path: string | undefined, options: GlobalOptions & FilesOptions) =>
      inSession(options, async s => (await import('./commands/files.ts')).files(s, name, path ?? '/', options)),
    )
  add('cat <name> <path>', 'print a file of an image, byte for byte')
    .option(...platform)
    .action((name: string, path: string, options: GlobalOptions & PlatformOption) =>
      inSession(options, async s => (await import('./commands/cat.ts')).cat(s, name, path, options)),
    )
}

/** Adds the commands that unpack the root filesystem of an image. */
function addRootfsCommands(add: Add, inSession: InSession): void {
  add('unpack <name> <dir>', 'write the root filesystem of a stored image to a directory')
    .option('--platform <p>', 'platform to take from an index')
    .option('--rootless', 'leave owners and devices aside (the default for users who are not root)')
    .option('--overwrite', 'write into a directory that is not empty')
    .option('--layers <n>', 'only the lowest n layers')
    .option('--whiteouts <how>', 'apply, or overlayfs: apply them and keep each as overlayfs writes it')
    .option('--devices <how>', 'create, skip or error (default: create what the system allows, report the rest)')
    .option('--keep-set-id', 'keep set-id bits although owners are left aside')
    .action((name: string, directory: string, options: GlobalOptions & UnpackCommandOptions) =>
      inSession(options, async s => (await import('./commands/unpack.ts')).unpack(s, name, directory, options)),
    )
}

/** Adds the commands that move images between the store and files. */
function addArchiveCommands(add: Add, addRemote: Add, inSession: InSession): void {
  addRemote('save <name...>', 'write stored images to one file')
    .option('-o, --output <file>', 'file to write; - for stdout (the default)', '-')
    .option('--format <f>', 'oci, or docker for `docker load` and older tools', 'oci')
    .option('--have <image>', 'leave out the layers of an image or archive that the receiver has', collect)
    .option('--platform <p>', 'platform to take from an index')
    .option('--compression <kind>', 'none, gzip or zstd for the whole file', 'none')
    .action((names: string[], options: GlobalOptions & SaveOptions) =>
      inSession(options, async s => (await import('./commands/save.ts')).save(s, names, options)),
    )
  add('load', 'bring the images of a file of save, `docker save` or skopeo into the store; prints their names')
    .option(
      '-i, --input <file>',
      'file, or oci-archive:FILE[:TAG], docker-archive:FILE[:NAME]; - for stdin (the default)',
      '-',
    )
    .option('-t, --tag <name>', 'name in the store, for a file of one image')
    .option('--platform <p>', 'platform to take from an index')
    .action((options: GlobalOptions & LoadOptions) =>
      inSession(options, async s => (await import('./commands/load.ts')).load(s, options)),
    )
  addConfigOptions(
    add('import <tar>', 'make an image out of the tar of a root filesystem (- for stdin); prints its digest'),
  )
    .option('--platform <p>', 'platform of the image')
    .option('--compression <kind>', 'gzip, zstd or none for a tar that is not compressed', 'gzip')
    .action((source: string, options: GlobalOptions & ImportOptions) =>
      inSession(options, async s => (await import('./commands/import.ts')).importCommand(s, source, options)),
    )
}

/** Adds the commands that measure, free and verify the space of the store. */
function addSpaceCommands(add: Add, addRemote: Add, inSession: InSession): void {
  add('gc', 'remove what no name needs')
    .alias('prune')
    .option('-n, --dry-run', 'show what would go, and why; remove nothing')
    .option('--explain', 'with --dry-run, also show what would stay, and why')
    .option('--keep-last <n>', 'keep the names of the last n images of each repository, drop the others')
    .option('--max-age <d>', 'drop names that were not used for longer, e.g. 30d')
    .option('--max-bytes <n>', 'drop names, least recently used first, until the rest fits, e.g. 10GB')
    .option('--grace <d>', 'leave alone what is younger (default: 1h)')
    .option('--keep-unknown', 'go on although something cannot be understood; keep it, not what only it needs')
    .option('--force', 'go on although not one name is there, or with a grace under ten minutes')
    .action((options: GlobalOptions & GcOptions) =>
      inSession(options, async s => (await import('./commands/gc.ts')).gc(s, options)),
    )
  addRemote('fsck', 'read everything in the store and say what is wrong; exit code 1 if something is')
    .alias('verify')
    .option(
      '--repair [from]',
      'fetch what is damaged or missing: from a repository, oci:DIR, an archive, or where it came from',
    )
    .option('--quarantine', 'move corrupt blobs out of the way, even if nothing replaces them')
    .option('--resume', 'go on where an earlier check was broken off')
    .option('--no-content', 'look at names and sizes only')
    .option('--max-rate <n>', 'read no more than this in a second, e.g. 50MB')
    .action((options: GlobalOptions & FsckOptions) =>
      inSession(options, async s => (await import('./commands/fsck.ts')).fsck(s, options)),
    )
  add('df', 'say what takes how much space in the store')
    .option('--images', 'also for each image')
    .action((options: GlobalOptions & DfOptions) =>
      inSession(options, async s => (await import('./commands/df.ts')).df(s, options)),
    )
}

/** Adds the options to make a plan without running it, and to run a stored plan later. */
function withStoredPlan(command: Command): Command {
  return command
    .option('--plan', 'show what would be moved, move nothing')
    .option('--from-plan <file>', 'run what --plan --json wrote (- for stdin), instead of the arguments')
    .option('--if-changed <how>', 'what a stored plan no longer holds for: adapt to it (the default), or fail')
}

function withGlobals(command: Command): Command {
  return command
    .optionsGroup('Global options:')
    .option('--store <dir>', 'store directory (default: $LAYERSTORE_STORE, else the user data folder)')
    .option('--json', 'print one JSON document')
    .option('-q, --quiet', 'print results only')
    .option('--hasher <engine>', 'wasm or native')
    .option('-j, --jobs <n>', 'how much goes on at once (default: 4)')
}
