import { type Digest, isDigest, splitDigest } from '../../digest/index.ts'
import { FormatError, RegistryError } from '../../errors/index.ts'
import { type Descriptor, type ImageDocument, isTag, parseImageDocument, type Repository } from '../../oci/index.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import type { FetchedManifest } from '../registry-client.ts'
import { keepReferrer } from './keep-referrer.ts'
import { type PutManifest, putManifest } from './put-manifest.ts'

/** SPEC: so many tags in one request a registry that supports it has to take. */
const TAGS_PER_REQUEST = 10

/** Uploads a manifest under its digest and its tags. Gives the digest under which the registry keeps it. */
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
  // A caller may pass a whole reference, whose own tag or digest must not decide here.
  const target = { registry: repository.registry, repository: repository.repository }
  const answers = await putEverywhere(endpoint, target, manifest, [...new Set(tags)], signal)
  if (answers.some(({ keepsReferrers }) => keepsReferrers)) return digest
  const { subject, entry } = referrerIn(manifest)
  // No registry holds what cannot be verified, so no list of what refers to it is kept.
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
  // SPEC: a registry makes a manifest pushed by tag available by its digest too, but it chooses the algorithm.
  const byTagAlone = missing.size > 0 && splitDigest(digest).algorithm === 'sha256'
  if (answers.length === 0 && !byTagAlone) {
    answers.push(await putManifest(endpoint, { ...target, digest }, manifest, { signal }))
  }
  for (const tag of missing) answers.push(await putManifest(endpoint, { ...target, tag }, manifest, { signal }))
  return answers
}

/** `undefined` if the registry does not understand several tags, or refuses the manifest: sent alone, that shows. */
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

/** Which manifest this one refers to, if any, and what a list of referrers says of it. */
export function referrerIn({ descriptor, bytes }: FetchedManifest): {
  readonly subject: Descriptor | undefined
  readonly entry: Descriptor
} {
  const { mediaType, digest, size } = descriptor
  const content = contentOf(bytes, mediaType)
  const artifactType = content?.artifactType || (content && 'config' in content ? content.config.mediaType : undefined)
  const kind = artifactType === undefined ? {} : { artifactType }
  const notes = content?.annotations ? { annotations: content.annotations } : {}
  return { subject: content?.subject ?? undefined, entry: { mediaType, digest, size, ...kind, ...notes } }
}

function contentOf(bytes: Uint8Array, mediaType: string) {
  let document: ImageDocument
  try {
    document = parseImageDocument(bytes, mediaType)
  } catch (error) {
    // What kind of document a registry takes is the registry's affair; one that we cannot read has no subject for us.
    if (error instanceof FormatError) return undefined
    throw error
  }
  return document.kind === 'index' ? document.index : document.manifest
}
