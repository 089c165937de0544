import { type Digest, digestOf, isDigest, splitDigest } from '../../digest/index.ts'
import { BlobNotFoundError, FormatError, LimitError } from '../../errors/index.ts'
import { abortableItems } from '../../internal/abortable-items.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import { type Descriptor, type ImageDocument, isTag } from '../../oci/index.ts'
import type { Answer } from '../answer.ts'
import type { Call } from '../call.ts'
import { Fault } from '../fault.ts'
import type { RepositoryNames } from '../served-names.ts'
import { assertChildren, invalidManifest, unknownChild } from './assert-children.ts'
import { parseAnnounced } from './proven-document.ts'

/**
 * SPEC: a registry accepts at least ten tags in one request, and answers 414 to more than it accepts
 * (distribution-spec, end-7b).
 */
const TAGS_PER_REQUEST = 100

/**
 * PUT of a manifest or index: stores it under its digest, the tag in the path, if it is one, and all tags in `?tag=`.
 */
export async function serveManifestPut(
  call: Call,
  route: RepositoryNames & { readonly reference: string },
): Promise<Answer> {
  const tags = tagsAsked(call, route.reference)
  const bytes = expectedBytes(call)
  return call.manifestMemory.during(bytes, call.signal, () => takeManifest(call, route, tags))
}

async function takeManifest(
  call: Call,
  { repository, path, reference }: RepositoryNames & { readonly reference: string },
  tags: readonly string[],
): Promise<Answer> {
  const bytes = await bodyOf(call)
  const document = documentFrom(bytes, call.request.headers['content-type'])
  const digest = await digestFor(bytes, reference)
  await assertChildren(call, document)
  const descriptor = { mediaType: document.mediaType, digest, size: bytes.byteLength }
  await call.store.put(bytes, { digest, size: descriptor.size })
  for (const tag of tags) await setTag(call, `${repository}:${tag}`, descriptor)
  const subject = call.referrers.add(descriptor, document)
  if (subject) await call.peers.tellReferrer(descriptor, subject)
  return {
    status: 201,
    headers: {
      Location: `/v2/${path}/manifests/${digest}`,
      'Docker-Content-Digest': digest,
      ...(call.query.has('tag') ? { 'OCI-Tag': tags.join(', ') } : {}),
      // SPEC: tells the client that it need not maintain a referrers tag (distribution-spec, pushing manifests with
      // subject).
      ...(subject ? { 'OCI-Subject': subject } : {}),
    },
  }
}

function tagsAsked({ query }: Call, reference: string): readonly string[] {
  const asked = query.getAll('tag')
  const tags = [...new Set(isDigest(reference) ? asked : [reference, ...asked])]
  if (tags.length > TAGS_PER_REQUEST) {
    throw new Fault(414, { code: 'MANIFEST_INVALID', message: `more than ${TAGS_PER_REQUEST} tags in one request` })
  }
  const wrong = tags.find(tag => !isTag(tag))
  if (wrong !== undefined) {
    const detail = { tag: wrong.slice(0, 200) }
    throw new Fault(400, { code: 'MANIFEST_INVALID', message: 'not a valid tag or digest', detail })
  }
  return tags
}

/** Bytes of memory that the manifest of a request needs: the announced length, or else the limit. */
function expectedBytes({ request, settings }: Call): number {
  const limit = settings.maxManifestBytes
  const announced = request.headers['content-length']
  const bytes = announced === undefined ? limit : Number(announced)
  if (bytes > limit) throw tooLarge(new LimitError('manifest bytes', { limit, actual: bytes }), limit)
  return bytes
}

async function bodyOf({ request, settings }: Call): Promise<Uint8Array> {
  const { maxManifestBytes: limit, manifestTimeoutMs } = settings
  // SAFETY: a client may send half a manifest and stop; its memory would be held for ever, and further requests would
  // wait for it. The time limit releases it.
  const late = new AbortController()
  const message = `the manifest did not arrive within ${manifestTimeoutMs} ms`
  const timer = setTimeout(() => late.abort(new Fault(408, { code: 'MANIFEST_INVALID', message })), manifestTimeoutMs)
  // Leaving the loop early must not destroy the connection: the refusal is sent on it.
  const chunks = abortableItems(request.iterator({ destroyOnReturn: false }), late.signal)
  try {
    return await collectBytes(chunks, limit, 'manifest bytes')
  } catch (error) {
    throw error instanceof LimitError ? tooLarge(error, limit) : error
  } finally {
    clearTimeout(timer)
  }
}

function tooLarge({ message }: LimitError, limit: number): Fault {
  return new Fault(413, { code: 'SIZE_INVALID', message, detail: { limit } })
}

function documentFrom(bytes: Uint8Array, contentType: string | undefined): ImageDocument {
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? ''
  const said = type === '' || type === 'application/json' || type === 'application/octet-stream' ? undefined : type
  try {
    return parseAnnounced(bytes, said)
  } catch (error) {
    if (error instanceof FormatError) throw invalidManifest(error.message)
    throw error
  }
}

async function digestFor(bytes: Uint8Array, reference: string): Promise<Digest> {
  if (!isDigest(reference)) return digestOf(bytes)
  const digest = await digestOf(bytes, { algorithm: splitDigest(reference).algorithm })
  if (digest === reference) return digest
  throw new Fault(400, {
    code: 'DIGEST_INVALID',
    message: 'the manifest does not have the digest in the path',
    detail: { digest },
  })
}

async function setTag(call: Call, name: string, descriptor: Descriptor): Promise<void> {
  try {
    await call.store.references.set(name, descriptor, { anyConfig: true })
  } catch (error) {
    // A blob further down the graph was deleted, or never existed.
    if (error instanceof BlobNotFoundError) throw new Fault(400, unknownChild(error.digest))
    if (error instanceof FormatError) throw invalidManifest(error.message)
    throw error
  }
}
