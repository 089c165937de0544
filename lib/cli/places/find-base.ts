import type { Image } from '../../image/index.ts'
import type { RegistryClient } from '../../registry/index.ts'
import type { Store } from '../../store/index.ts'
import type { Session } from '../session/session.ts'
import { type PolicyOption, verifierOf } from '../signing/policy-of.ts'
import { type PlaceOptions, placeOf, splitPrefix } from './name-place.ts'

/** Options of {@link findBase}. */
export interface FindBaseOptions extends PolicyOption {
  /** Platform to take from an index. */
  readonly platform?: string | undefined
  /** Pull the base, with its layers, if the registry has a newer one or the store has none. */
  readonly pull?: boolean | undefined
  /** Meaning of a plain name that the store lacks. @defaultValue `'registry'`, as in `FROM node:22` */
  readonly plain?: PlaceOptions['plain']
}

/**
 * Finds the image to build upon: a name or digest in the store, else a reference in a registry, of which only the
 * manifest and the config are fetched; `undefined` for `scratch`.
 */
export async function findBase(
  session: Session,
  store: Store,
  text: string,
  { platform, pull, plain = 'registry', policy }: FindBaseOptions,
): Promise<Image | undefined> {
  if (text === 'scratch') return undefined
  const { readImage } = await import('../../image/index.ts')
  const { signal } = session
  const verify = await verifierOf(session, { policy })
  if (pull) {
    await session.noteDefaults(splitPrefix(text).name)
    const { pullImage } = await import('../../transfer/index.ts')
    const registry = await session.registry()
    const { name } = await session.transfer(onProgress =>
      pullImage(registry, store, splitPrefix(text).name, {
        platform,
        concurrency: session.jobs,
        verify,
        onProgress,
        signal,
      }),
    )
    return readImage(store, name, { platform, signal })
  }
  const place = await placeOf(session, text, { store, plain })
  const { name } = place
  if (place.where === 'store') return readImage(store, name, { platform, signal })
  await session.noteDefaults(name)
  session.note(`${name}: not in the store; its manifest and config are fetched, its layers stay in the registry`)
  const registry = await session.registry()
  return verify
    ? readVerified(registry, name, platform, verify, signal)
    : readImage(registry, name, { platform, signal })
}

/** Resolves the name once, and reads and verifies the image by the digest that it has. */
async function readVerified(
  registry: RegistryClient,
  name: string,
  platform: string | undefined,
  verify: NonNullable<Awaited<ReturnType<typeof verifierOf>>>,
  signal: AbortSignal,
): Promise<Image> {
  const { readImage } = await import('../../image/index.ts')
  const { parseReference } = await import('../../oci/index.ts')
  const { imageToVerify, registrySourceEndpoint } = await import('../../transfer/index.ts')
  const source = registrySourceEndpoint(registry, name)
  const { digest } = await source.resolve({ signal })
  const { registry: host, repository } = parseReference(name)
  const image = await readImage(registry, { registry: host, repository, digest }, { platform, signal })
  await verify(imageToVerify(source, image.descriptor, { index: digest, signal }))
  return image
}
