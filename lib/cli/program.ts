import { Command } from 'commander'
import type { AppendOptions } from './commands/append.ts'
import type { PlatformOption } from './commands/inspect.ts'
import type { PullOptions } from './commands/pull.ts'
import type { PushOptions } from './commands/push.ts'
import type { ServeOptions } from './commands/serve.ts'
import type { GlobalOptions, Session } from './session.ts'

/** Opens a session with the options given, runs the act in it, closes it. */
export type InSession = (options: GlobalOptions, act: (session: Session) => Promise<void>) => Promise<void>

/** The commands and their options. Every command's code is loaded when it runs, not before. */
export function createProgram(inSession: InSession, version: string): Command {
  const program = new Command('layerstore')
    .description('Container images without a daemon: pull, push, assemble, look inside, serve.')
    .version(version, '-V, --version')
    .showSuggestionAfterError()
  const add = (usage: string, description: string) => withGlobals(program.command(usage).description(description))
  withGlobals(program)

  add('pull <ref>', 'bring an image into the store; prints its digest')
    .option('--platform <p>', 'platform to take, os/architecture[/variant]')
    .option('--all-platforms', 'take every platform of the index')
    .option('--plan', 'show what would be moved, move nothing')
    .option('-t, --tag <name>', 'name in the store')
    .action((ref: string, options: GlobalOptions & PullOptions) =>
      inSession(options, async s => (await import('./commands/pull.ts')).pull(s, ref, options)),
    )
  add('push <name> [ref]', 'upload a stored image; prints its digest')
    .option('--plan', 'show what would be moved, move nothing')
    .action((name: string, ref: string | undefined, options: GlobalOptions & PushOptions) =>
      inSession(options, async s => (await import('./commands/push.ts')).push(s, name, ref, options)),
    )
  add('append <base>', 'put directories on top of an image (or of scratch), one layer each')
    .option('-d, --dir <dir[:/at]>', 'directory to add, and where in the image', collect)
    .option('-t, --tag <name>', 'name of the result')
    .option('--cmd <json>', 'command, as a JSON array')
    .option('--entrypoint <json>', 'entrypoint, as a JSON array')
    .option('-e, --env <name=value>', 'environment variable', collect)
    .option('-l, --label <name=value>', 'label', collect)
    .option('-w, --workdir <dir>', 'working directory')
    .option('-u, --user <user>', 'user')
    .option('--platform <p>', 'platform of the base to take, or of an image from scratch')
    .option('--compression <kind>', 'gzip, zstd or none', 'gzip')
    .action((base: string, options: GlobalOptions & AppendOptions) =>
      inSession(options, async s => (await import('./commands/append.ts')).append(s, base, options)),
    )
  addLocalCommands(add, inSession)
  add('serve', 'offer the store as a registry until stopped')
    .option('--listen <host:port>', 'address to listen on', '127.0.0.1:5000')
    .option('--read-only', 'refuse pushes')
    .action((options: GlobalOptions & ServeOptions) =>
      inSession(options, async s => (await import('./commands/serve.ts')).serve(s, options)),
    )
  return program
}

/** Commands that look at the store, or change names in it. */
function addLocalCommands(add: (usage: string, description: string) => Command, inSession: InSession): void {
  const platform = ['--platform <p>', 'platform to take from an index'] as const
  add('images', 'list the names in the store')
    .alias('ls')
    .action((options: GlobalOptions) => inSession(options, async s => (await import('./commands/images.ts')).images(s)))
  add('inspect <name>', 'say what a stored image is')
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
  add('tag <src> <dst>', 'give a stored image another name').action(
    (source: string, name: string, options: GlobalOptions) =>
      inSession(options, async s => (await import('./commands/names.ts')).tag(s, source, name)),
  )
  add('rm <name...>', 'take names away').action((names: string[], options: GlobalOptions) =>
    inSession(options, async s => (await import('./commands/names.ts')).remove(s, names)),
  )
}

function withGlobals(command: Command): Command {
  return command
    .option('--store <dir>', 'store directory (default: $LAYERSTORE_STORE, else the user data folder)')
    .option('--json', 'print one JSON document')
    .option('-q, --quiet', 'print results only')
    .option('--hasher <engine>', 'wasm or native')
    .option('-j, --jobs <n>', 'how much goes on at once (default: 4)')
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value]
}
