import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { ArtifactLayer } from '../../../image/index.ts'
import { fileFault } from '../../failing/file-fault.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { placeOf } from '../../places/name-place.ts'
import { readInput } from '../../reading/read-input.ts'
import { checkResult, keepResult, type ResultOptions } from '../../results/keep-result.ts'
import type { Session } from '../../session/session.ts'
import { pairsOf } from './run-config.ts'

/** Content of an artifact. */
interface ContentOptions {
  readonly type: string
  readonly file?: readonly string[]
}

/** Options of `artifact`. */
export interface ArtifactOptions extends ContentOptions, ResultOptions {}

/** Options of `attach`. */
export interface AttachOptions extends ContentOptions {
  readonly annotation?: readonly string[]
}

/** `artifact --type T --file PATH[:TYPE]… -t NAME | --push REF`: makes an artifact of files, and prints its digest. */
export async function artifact(session: Session, options: ArtifactOptions): Promise<void> {
  await checkResult('artifact', options)
  const { composeArtifact } = await import('../../../image/index.ts')
  const store = await session.store()
  const { signal } = session
  await using _lease = await store.leases.hold({ label: 'artifact', signal })
  const composed = await composeArtifact(store, { ...(await contentOf(options)), signal })
  await keepResult(session, store, composed, options, { layers: composed.manifest.layers })
}

/**
 * `attach NAME --type T --file PATH[:TYPE]…`: attaches an artifact to an image, in the store if the store has the name,
 * else in its registry.
 */
export async function attach(session: Session, text: string, options: AttachOptions): Promise<void> {
  const content = await contentOf(options)
  const { signal } = session
  const place = await placeOf(session, text)
  const { name } = place
  if (place.where === 'store') {
    const { store } = place
    const { composeArtifact, findDescriptor } = await import('../../../image/index.ts')
    const subject = await findDescriptor(store, name, { signal })
    const { descriptor } = await composeArtifact(store, { ...content, subject, signal })
    return session.result(descriptor.digest, { ...descriptor, subject })
  }
  const { attachArtifact } = await import('../../../transfer/index.ts')
  const { descriptor, subject } = await attachArtifact(await session.registry(), name, { ...content, signal })
  session.result(descriptor.digest, { ...descriptor, subject })
}

async function contentOf({ type, file = [], annotation = [] }: ContentOptions & AttachOptions) {
  const layers: ArtifactLayer[] = []
  for (const source of file) layers.push(await layerOf(source))
  return { artifactType: type, layers, annotations: pairsOf('--annotation', annotation) }
}

/** Splits `PATH[:TYPE]`: a media type has a slash, and no path has one after its last colon followed by a type. */
async function layerOf(source: string): Promise<ArtifactLayer> {
  const [, path = source, mediaType] = /^(.+):([\w!#$&^.+-]+\/[\w!#$&^.+-]+)$/s.exec(source) ?? []
  const stats = await stat(path).catch(cause => {
    throw fileFault('--file', path, cause)
  })
  if (!stats.isFile()) throw new UsageError(`--file ${JSON.stringify(path)} is not a file`)
  return {
    content: () => readInput('--file', path),
    title: basename(path),
    ...(mediaType === undefined ? {} : { mediaType }),
  }
}
