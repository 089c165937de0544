import { type Digest, splitDigest } from '../../digest/index.ts'
import { unusedQuarantineName } from '../../store/index.ts'
import type { ObjectContext } from '../object-context.ts'
import { blobKey, Keys } from '../objects/keys.ts'

/**
 * Moves a blob to quarantine, if it is still the given version. Resolves to its new key; to `undefined` if there is
 * none.
 */
export async function quarantineBlobObject(
  context: ObjectContext,
  digest: Digest,
  etag?: string,
): Promise<string | undefined> {
  const { algorithm, hex } = splitDigest(digest)
  const moving = quarantineObject(context, blobKey(digest), `${algorithm}-${hex}`, etag)
  return moving.finally(() => context.held.forget(digest))
}

/** Moves an object of the store to quarantine. */
export async function quarantineObject(
  context: ObjectContext,
  key: string,
  as: string,
  etag?: string,
): Promise<string | undefined> {
  context.assertWritable()
  const { bucket } = context
  const facts = await bucket.head(key)
  if (!facts || (etag !== undefined && facts.etag !== etag)) return undefined
  const keyOf = (name: string) => Keys.quarantine + name
  const isUsed = async (name: string) => (await bucket.head(keyOf(name))) !== undefined
  const to = keyOf(await unusedQuarantineName(as, facts.serverTime, isUsed))
  if (!(await bucket.copy(key, to))) return undefined
  // SAFETY: another process may have stored an intact blob since; S3 cannot delete one version of an object only on
  // every engine. The object is looked at once more, so that the time in which that would be lost is one request.
  const now = await bucket.head(key)
  if (now?.etag !== facts.etag) return undefined
  await bucket.delete(key)
  return to
}
