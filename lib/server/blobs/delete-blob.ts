import type { Digest } from '../../digest/index.ts'
import type { Answer } from '../answer.ts'
import type { Call } from '../call.ts'
import { Fault } from '../fault.ts'
import { isInUse } from './is-in-use.ts'
import { unknownBlob } from './stored-blob.ts'

/** DELETE of a blob that no name in the store refers to. */
export async function serveBlobDelete(call: Call, route: { readonly digest: Digest }): Promise<Answer> {
  const { store, signal } = call
  if (!(await store.stat(route.digest, { signal }))) throw unknownBlob(route.digest)
  // SAFETY: all repositories share the blobs of the store; a deletion here would break images of other repositories.
  if (await isInUse(store, route.digest, signal)) {
    throw new Fault(405, { code: 'UNSUPPORTED', message: 'the blob is part of a tagged image' })
  }
  await store.delete(route.digest)
  return { status: 202 }
}
