import { type Digest, isDigest, splitDigest } from '../../digest/index.ts'
import { FormatError, RegistryError } from '../../errors/index.ts'
import {
  type Descriptor,
  type ImageDocument,
  isTag,
  parseImageDocument,
  type Repository,
  referrerEntry,
  subjectOf,
} from '../../oci/index.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import type { FetchedManifest } from '../registry-client.ts'
import { keepReferrer } from './keep-referrer.ts'
import { type PutManifest, putManifest } from './put-manifest.ts'

/** SPEC: a registry that supports several tags in one request must accept at least this many. */
const TAGS_PER_REQUEST = 10

/** Uploads a manifest under its digest and its tags. Resolves to the digest under which the registry keeps it. */
export async function pushManifest(
  endpoint: RegistryEndpoint,
  repository: Repository,
  manifest: FetchedManifest,
  tags: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Digest> {
  for (const tag of tags) {
    if (!isTag(tag)) throw new FormatError('ERR_INVALID_REFERENCE', `not a tag: ${JSON.stringify(String(tag))}`)
  }
  const { digest } = manifest.descriptor
  // A caller may pass a whole reference; its own tag and digest are ignored.
  const target = { registry: repository.registry, repository: repository.repository }
  const answers = await putEverywhere(endpoint, target, manifest, [...new Set(tags)], signal)
  if (answers.some(({ keepsReferrers }) => keepsReferrers)) return digest
  const { subject, entry } = referrerIn(manifest)
  // A subject with an unknown digest algorithm cannot be verified, so no list of referrers is kept for it.
  if (subject && isDigest(subject.digest))
    await keepReferrer(endpoint, target, { subject: subject.digest, digest, entry }, signal)
  return digest
}

async function putEverywhere(
  endpoint: RegistryEndpoint,
  target: Repository,
  manifest: FetchedManifest,
  tags: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly PutManifest[]> {
  const { digest } = manifest.descriptor
  const answers: PutManifest[] = []
  const missing = new Set(tags)
  if (tags.length > 1) {
    for (let first = 0; first < tags.length; first += TAGS_PER_REQUEST) {
      const some = tags.slice(first, first + TAGS_PER_REQUEST)
      const answer = await tryTags(endpoint, { ...target, digest }, manifest, some, signal)
      if (!answer) break
      answers.push(answer)
      for (const tag of answer.tags) missing.delete(tag)
      if (some.some(tag => missing.has(tag))) break
    }
  }
  // SPEC: a registry also makes a manifest pushed by tag available by its digest, but chooses the digest's algorithm.
  const byTagAlone = missing.size > 0 && splitDigest(digest).algorithm === 'sha256'
  if (answers.length === 0 && !byTagAlone) {
    answers.push(await putManifest(endpoint, { ...target, digest }, manifest, { signal }))
  }
  for (const tag of missing) answers.push(await putManifest(endpoint, { ...target, tag }, manifest, { signal }))
  return answers
}

/**
 * Resolves to `undefined` if the registry does not support several tags or refuses the manifest; sending one tag alone
 * tells which.
 */
async function tryTags(
  endpoint: RegistryEndpoint,
  reference: Repository & { readonly digest: Digest },
  manifest: FetchedManifest,
  tags: readonly string[],
  signal: AbortSignal | undefined,
): Promise<PutManifest | undefined> {
  try {
    return await putManifest(endpoint, reference, manifest, { tags, signal })
  } catch (error) {
    if (error instanceof RegistryError && [400, 404, 405, 414, 431, 501].includes(error.status ?? 0)) return undefined
    throw error
  }
}

/**
 * Returns the subject of a manifest, if any, and the manifest's entry in the subject's list of referrers.
 */
export function referrerIn({ descriptor, bytes }: FetchedManifest): {
  readonly subject: Descriptor | undefined
  readonly entry: Descriptor
} {
  const { mediaType, digest, size } = descriptor
  const document = documentOf(bytes, mediaType)
  if (!document) return { subject: undefined, entry: { mediaType, digest, size } }
  return { subject: subjectOf(document), entry: referrerEntry(descriptor, document) }
}

function documentOf(bytes: Uint8Array, mediaType: string): ImageDocument | undefined {
  try {
    return parseImageDocument(bytes, mediaType)
  } catch (error) {
    // A registry may accept documents that this library cannot parse; such a document has no known subject.
    if (error instanceof FormatError) return undefined
    throw error
  }
}
