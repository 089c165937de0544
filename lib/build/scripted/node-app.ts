import { join } from 'node:path'
import { BuildError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Store } from '../../store/index.ts'
import type { BuildContext } from '../context/build-context.ts'
import { openContext } from '../context/open-context.ts'
import { readPackageLock } from './read-package-lock.ts'
import { from, type ScriptedStage } from './scripted-stage.ts'

/** Options of {@link nodeApp}. */
export interface NodeAppOptions extends AbortOptions {
  /** Base image, with Node. @defaultValue `'node:22-slim'` */
  readonly base?: string | ScriptedStage | undefined
  /** Directory of the application in the image. @defaultValue `'/app'` */
  readonly at?: string | undefined
  /** File to start. @defaultValue that of `scripts.start` (`node FILE`) or `main` in package.json */
  readonly entry?: string | undefined
  /** User of the application, which the base must have; `null` for that of the base. @defaultValue `'node'` */
  readonly user?: string | null | undefined
  /** Further patterns of files to leave out. */
  readonly exclude?: readonly string[] | undefined
  /** Store that keeps the digests of files between builds. */
  readonly store?: Store | undefined
}

/**
 * Makes a stage of a Node application: its installed packages in one layer and its own files in another, so that an
 * edit of the application leaves the packages cached. npm's lock file decides which packages are needed: those that
 * only development needs are left out, and so are their programs. Nothing is installed: run `npm ci` before.
 *
 * The ignore file of the directory applies to the application's own files, not to its packages.
 *
 * @example
 * ```ts
 * await (await nodeApp('.')).expose(3000).build(store, { names: ['app:1.0'] })
 * ```
 *
 * @throws {@link BuildError} `ERR_BUILD_SOURCE_NOT_FOUND` if there is no package.json or lock file, or if a package
 * that the lock file needs is not installed; `ERR_BUILD_INVALID_STEP` if it cannot be told what to start.
 */
export async function nodeApp(directory: string, options: NodeAppOptions = {}): Promise<ScriptedStage> {
  const { base = 'node:22-slim', at = '/app', user = 'node', exclude = [], store, signal } = options
  const app = await openContext(directory, { store, signal, name: 'the application' })
  const locked = await readPackageLock(app, { signal })
  const entry = options.entry ?? (await entryOf(app, { signal }))
  let stage = from(base).workdir(at).context(app).ownContext(app)
  if (locked.needed.length > 0 || locked.development.length > 0) {
    const packages = await openContext(join(directory, 'node_modules'), {
      store,
      signal,
      ignore: [],
      name: 'the packages',
    })
    assertInstalled(packages, locked.needed)
    const left = [...locked.development, ...locked.developmentPrograms.map(name => `.bin/${name}`), '.cache']
    stage = stage.ownContext(packages).copy({ from: packages, to: 'node_modules/', exclude: left.map(escaped) })
  }
  stage = stage.copy('.', '.', { exclude: ['node_modules', '.git', ...exclude] }).env({ NODE_ENV: 'production' })
  if (user !== null) stage = stage.user(user)
  return stage.cmd(['node', entry])
}

/** Names of packages are no patterns. */
function escaped(path: string): string {
  return path.replace(/[*?[\]\\]/g, '\\$&')
}

function assertInstalled({ tree }: BuildContext, needed: readonly string[]): void {
  const missing = needed.filter(path => !tree.stat(path))
  if (missing.length === 0) return
  const shown = missing.slice(0, 3).join(', ')
  const message = `${missing.length} packages of the lock file are not installed: ${shown}; run npm ci first`
  throw new BuildError('ERR_BUILD_SOURCE_NOT_FOUND', message, { path: `node_modules/${missing[0]}` })
}

async function entryOf(context: BuildContext, options: AbortOptions): Promise<string> {
  const bytes = await context.readControlFile('package.json', options)
  if (!bytes) throw new BuildError('ERR_BUILD_SOURCE_NOT_FOUND', 'no package.json', { path: 'package.json' })
  const { main, scripts } = parsePackage(bytes)
  const start = typeof scripts?.start === 'string' ? /^node\s+([^\s-]\S*)$/.exec(scripts.start.trim())?.[1] : undefined
  const entry = start ?? (typeof main === 'string' && main !== '' ? main : undefined)
  if (entry !== undefined) return entry
  const message = 'package.json says neither main nor a start script of the form "node FILE": set the option entry'
  throw new BuildError('ERR_BUILD_INVALID_STEP', message, { path: 'package.json' })
}

function parsePackage(bytes: Uint8Array): { main?: unknown; scripts?: { start?: unknown } } {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) ?? {}
  } catch (cause) {
    throw new BuildError('ERR_BUILD_INVALID_STEP', 'package.json is not JSON', { path: 'package.json' }, { cause })
  }
}
