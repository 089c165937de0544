import { isDigest, parseDigest } from '../../digest/index.ts'
import { ReferenceNotFoundError } from '../../errors/index.ts'
import { namesRegistry, parseReference } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'
import { UsageError } from '../failing/usage-error.ts'
import type { Session } from '../session/session.ts'

/** Place of a name: a store, or a registry, with the prefix removed. */
export type NamePlace =
  | { readonly where: 'store'; readonly name: string; readonly store: Store }
  | { readonly where: 'registry'; readonly name: string }

/** Options of {@link placeOf}. */
export interface PlaceOptions {
  /** The store that the command has open already. @defaultValue that of the session, if it exists */
  readonly store?: Store
  /**
   * Meaning of a plain name that the store lacks: an error, or an image of Docker Hub, as in `FROM node:22`.
   * @defaultValue `'error'`
   */
  readonly plain?: 'error' | 'registry'
}

/**
 * Decides where a name of an image is looked for. Every command that takes a name in the store or a reference asks
 * this function:
 *
 * 1. `store:NAME` is in the store, `docker://REF` in a registry.
 * 2. A digest, and a name that the store has, is in the store.
 * 3. A name that begins with a registry (`ghcr.io/o/app:1`, `localhost:5000/app`) is in that registry.
 * 4. Any other name is an error, since a mistyped name in the store must not become a request to Docker Hub; the base
 *    of a new image is the exception (`plain: 'registry'`).
 *
 * @throws {@link ReferenceNotFoundError}, with advice how to name an image elsewhere.
 */
export async function placeOf(
  session: Session,
  text: string,
  { store, plain = 'error' }: PlaceOptions = {},
): Promise<NamePlace> {
  const { prefix, name } = splitPrefix(text)
  if (prefix === 'docker://') return { where: 'registry', name }
  const opened = store ?? (await (prefix === 'store:' ? session.store({ create: false }) : session.storeIfAny()))
  if (opened && (prefix === 'store:' || isDigest(name) || (await isNamed(session, opened, name)))) {
    return { where: 'store', name, store: opened }
  }
  if (!isDigest(name) && (plain === 'registry' || namesRegistry(name))) return { where: 'registry', name }
  return notFound(session, name)
}

/** Splits `store:NAME` or `docker://REF`. */
export function splitPrefix(text: string): { prefix: 'store:' | 'docker://' | undefined; name: string } {
  const prefix = (['store:', 'docker://'] as const).find(one => text.startsWith(one))
  return { prefix, name: text.slice(prefix?.length ?? 0) }
}

/** The name of an image that a command looks for in the store only: `store:` is left out, `docker://` refused. */
export function nameInStore(text: string): string {
  const { prefix, name } = splitPrefix(text)
  if (prefix !== 'docker://') return name
  throw new UsageError(`an image of the store is needed, not ${text}: pull it first, and write its name`)
}

/** The reference that a command asks a registry for: `docker://` is left out, `store:` refused. */
export function referenceIn(text: string): string {
  const { prefix, name } = splitPrefix(text)
  if (prefix !== 'store:') return name
  throw new UsageError(`a reference to a registry is needed, not ${text}`)
}

async function isNamed({ signal }: Session, store: Store, name: string): Promise<boolean> {
  return (await store.references.get(name, { signal })) !== undefined
}

function notFound(session: Session, name: string): never {
  // A digest that is too short would be read as a tag.
  if (/^(sha256|sha512|blake3):/.test(name)) parseDigest(name)
  else parseReference(name)
  session.advice = isDigest(name)
    ? 'for an image in a registry write REPOSITORY@DIGEST'
    : `"layerstore images" lists the names; for an image in a registry write docker://${name}`
  throw new ReferenceNotFoundError(name, { where: `the store ${session.storeName}` })
}
