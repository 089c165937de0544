import { type Digest, isDigest } from '../../digest/index.ts'
import type { Answer } from '../answer.ts'
import { isInUse } from '../blobs/is-in-use.ts'
import type { Call } from '../call.ts'
import { Fault } from '../fault.ts'
import { nameTableOf } from '../lists/name-table.ts'
import { unknownManifest } from './get-manifest.ts'

/** DELETE of a tag, or of a manifest together with all tags of the repository that refer to it. */
export async function serveManifestDelete(
  call: Call,
  route: { readonly repository: string; readonly reference: string },
): Promise<Answer> {
  const { repository, reference } = route
  const digest = isDigest(reference) ? reference : undefined
  if (digest && !(await call.manifests.find({ digest }, call.signal))) throw unknownManifest(reference)
  const names = await (digest
    ? namesOfDigest(call, repository, digest)
    : nameTableOf(call.store).namesOf(repository, reference, call.signal))
  for (const name of names) await call.store.references.delete(name)
  if (digest) await deleteDocument(call, digest, names.length > 0)
  else if (names.length === 0) throw unknownManifest(reference)
  return { status: 202 }
}

/** Names in the store for the tags of a repository that refer to a manifest. */
async function namesOfDigest({ store, signal }: Call, repository: string, digest: Digest): Promise<readonly string[]> {
  const names: string[] = []
  for (const name of await nameTableOf(store).allNamesOf(repository, signal)) {
    if ((await store.references.get(name, { signal }))?.digest === digest) names.push(name)
  }
  return names
}

async function deleteDocument(call: Call, digest: Digest, untagged: boolean): Promise<void> {
  if (!(await isInUse(call.store, digest, call.signal))) return call.store.delete(digest)
  // Another repository or an index still needs the manifest. If tags of this repository were removed, the deletion has
  // had its effect.
  if (!untagged) throw new Fault(405, { code: 'UNSUPPORTED', message: 'the manifest is part of a tagged image' })
}
