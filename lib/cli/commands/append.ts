import type { Image } from '../../image/index.ts'
import type { RunConfig } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'
import { formatBytes } from '../printing/format-bytes.ts'
import type { Session } from '../session.ts'
import { UsageError } from '../usage-error.ts'
import { type WritingOptions, type WritingPolicies, writingPolicies } from './writing-policies.ts'

/** Options that set the run configuration of a container. */
export interface RunConfigOptions {
  readonly cmd?: string
  readonly entrypoint?: string
  readonly env?: readonly string[]
  readonly label?: readonly string[]
  readonly workdir?: string
  readonly user?: string
}

/** Options of `append`. */
export interface AppendOptions extends RunConfigOptions, WritingOptions {
  readonly dir?: readonly string[]
  readonly tag?: string
  readonly platform?: string
}

/** The validated options. */
interface Appending extends AppendOptions {
  readonly tag: string
  readonly dir: readonly string[]
  readonly config: RunConfig
  readonly writing: WritingPolicies
}

/** `append BASE --dir DIR[:/at] -t NAME`: adds directories on top of an image, one layer each, and names the result. */
export async function append(session: Session, base: string, options: AppendOptions): Promise<void> {
  const { tag, dir = [] } = options
  if (!tag) throw new UsageError('append needs a name for the image: -t NAME')
  const config = runConfigOf(options)
  const writing = await writingPolicies(options)
  // Report an invalid name before the work starts, not after it.
  await assertName(tag)
  const store = await session.store()
  // The lease covers all layers: no collection may remove one before the image has its name.
  await using _lease = await store.leases.hold({ label: 'append', signal: session.signal })
  await appendTo(session, store, base, { ...options, tag, dir, config, writing })
}

async function assertName(tag: string): Promise<void> {
  const { parseReference } = await import('../../oci/index.ts')
  parseReference(tag)
}

async function appendTo(session: Session, store: Store, base: string, options: Appending): Promise<void> {
  const { tag, dir, config, writing } = options
  const { composeImage } = await import('../../image/index.ts')
  const { parsePlatform, platformOfConfig } = await import('../../oci/index.ts')
  const { signal } = session
  const platform = options.platform ? parsePlatform(options.platform) : undefined
  const below = base === 'scratch' ? undefined : await findBase(session, store, base, options.platform)
  const layers = []
  for (const source of dir) layers.push(await addLayer(session, store, source, writing))
  const image = await composeImage(store, {
    base: below,
    layers,
    config,
    // The base sets the platform, unless its config omits it.
    platform: below && platformOfConfig(below.config) ? undefined : platform,
    signal,
  })
  const name = await store.references.set(tag, image.descriptor, { signal })
  session.result(image.descriptor.digest, { name, ...image.descriptor, layers: image.layers })
}

async function addLayer(session: Session, store: Store, source: string, { entries, layer: how }: WritingPolicies) {
  const { fromDirectory, writeLayer } = await import('../../layer/index.ts')
  const { directory, at } = splitDirectory(source)
  const { signal, hasher } = session
  const layer = await writeLayer(store, fromDirectory(directory, { ...entries, at, signal }), {
    ...how,
    hasher,
    signal,
  })
  session.note(`${source}: ${formatBytes(layer.uncompressedSize)}, stored as ${formatBytes(layer.descriptor.size)}`)
  return { ...layer, history: { created_by: `layerstore append --dir ${source}` } }
}

/** Splits `DIR[:/at]`: the part after the last colon is the path in the image if it starts with a slash. */
function splitDirectory(source: string): { directory: string; at: string } {
  const colon = source.lastIndexOf(':/')
  const isDrive = colon === 1 && process.platform === 'win32'
  return colon > 0 && !isDrive
    ? { directory: source.slice(0, colon), at: source.slice(colon + 1) }
    : { directory: source, at: '/' }
}

/** Finds the base by its name in the store, else pulls it as a reference. */
async function findBase(session: Session, store: Store, base: string, platform: string | undefined): Promise<Image> {
  const { findDescriptor, readImage } = await import('../../image/index.ts')
  const { hostPlatform, parsePlatform } = await import('../../oci/index.ts')
  const { signal } = session
  const wanted = platform ? parsePlatform(platform) : hostPlatform()
  if (await store.references.get(base, { signal })) {
    return readImage(store, await findDescriptor(store, base, { signal }), { platform: wanted, signal })
  }
  const { planPull, runPull } = await import('../../transfer/index.ts')
  session.note(`${base}: not in the store, pulling`)
  const plan = await planPull(await session.registry(), store, base, { platform, signal })
  const { name } = await session.transfer(onProgress =>
    runPull(plan, { concurrency: session.jobs, onProgress, signal }),
  )
  return readImage(store, name, { platform: wanted, signal })
}

/** Converts the options to a run configuration. */
export function runConfigOf(options: RunConfigOptions): RunConfig {
  return {
    ...(options.cmd === undefined ? {} : { Cmd: stringsOf('--cmd', options.cmd) }),
    ...(options.entrypoint === undefined ? {} : { Entrypoint: stringsOf('--entrypoint', options.entrypoint) }),
    ...(options.env ? { Env: options.env.map(pair => assignmentOf('--env', pair)) } : {}),
    ...(options.label ? { Labels: Object.fromEntries(options.label.map(pair => splitPair('--label', pair))) } : {}),
    ...(options.workdir === undefined ? {} : { WorkingDir: options.workdir }),
    ...(options.user === undefined ? {} : { User: options.user }),
  }
}

function stringsOf(option: string, text: string): string[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new UsageError(`${option} takes a JSON array of strings, e.g. '["node","server.js"]'`, { cause })
  }
  if (Array.isArray(value) && value.every(part => typeof part === 'string')) return value
  throw new UsageError(`${option} takes a JSON array of strings, e.g. '["node","server.js"]'`)
}

function assignmentOf(option: string, pair: string): string {
  return splitPair(option, pair).join('=')
}

function splitPair(option: string, pair: string): [string, string] {
  const equals = pair.indexOf('=')
  if (equals < 1) throw new UsageError(`${option} takes NAME=VALUE, not ${JSON.stringify(pair)}`)
  return [pair.slice(0, equals), pair.slice(equals + 1)]
}
