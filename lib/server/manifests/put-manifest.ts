import { type Digest, digestOf, isDigest, splitDigest } from '../../digest/index.ts'
import { BlobNotFoundError, FormatError, LimitError } from '../../errors/index.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import {
  type Descriptor,
  type ImageDocument,
  isForeignLayerType,
  isTag,
  parseImageDocument,
  successorsOf,
} from '../../spec/index.ts'
import type { Answer } from '../answer.ts'
import type { Call } from '../call.ts'
import { Fault, type FaultEntry } from '../fault.ts'

/** As many as help; a manifest of a thousand unknown layers is not worth a longer answer. */
const NAMED_IN_ANSWER = 20

/** PUT of a manifest or index: kept under its digest, and under the tag if it is put by tag. */
export async function putManifest(
  call: Call,
  route: { readonly repository: string; readonly reference: string },
): Promise<Answer> {
  const { repository, reference } = route
  if (!isDigest(reference) && !isTag(reference)) {
    throw new Fault(400, { code: 'TAG_INVALID', message: 'neither a tag nor a digest' })
  }
  const bytes = await bodyOf(call)
  const document = documentFrom(bytes, call.request.headers['content-type'])
  const digest = await digestFor(bytes, reference)
  await assertChildren(call, document)
  await call.store.put(bytes, { digest, size: bytes.byteLength })
  if (!isDigest(reference)) {
    await setTag(call, `${repository}:${reference}`, { mediaType: document.mediaType, digest, size: bytes.byteLength })
  }
  return {
    status: 201,
    headers: { Location: `/v2/${repository}/manifests/${digest}`, 'Docker-Content-Digest': digest },
  }
}

async function bodyOf({ request, settings }: Call): Promise<Uint8Array> {
  const limit = settings.maxManifestBytes
  try {
    const announced = Number(request.headers['content-length'] ?? 0)
    if (announced > limit) throw new LimitError('manifest bytes', { limit, actual: announced })
    // Leaving the loop must not destroy the connection, on which the refusal has to go out.
    return await collectBytes(request.iterator({ destroyOnReturn: false }), limit, 'manifest bytes')
  } catch (error) {
    if (!(error instanceof LimitError)) throw error
    throw new Fault(413, { code: 'SIZE_INVALID', message: error.message, detail: { limit } })
  }
}

function documentFrom(bytes: Uint8Array, contentType: string | undefined): ImageDocument {
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? ''
  const said = type === '' || type === 'application/json' || type === 'application/octet-stream' ? undefined : type
  try {
    const document = parseImageDocument(bytes, said)
    if (document.mediaType !== parseImageDocument(bytes).mediaType) {
      // Read by digest, it would be taken for something else than read by tag.
      throw invalid(`a document of type ${document.mediaType} must say so in its mediaType`)
    }
    return document
  } catch (error) {
    if (error instanceof FormatError) throw invalid(error.message)
    throw error
  }
}

async function digestFor(bytes: Uint8Array, reference: string): Promise<Digest> {
  if (!isDigest(reference)) return digestOf(bytes)
  const digest = await digestOf(bytes, { algorithm: splitDigest(reference).algorithm })
  if (digest === reference) return digest
  throw new Fault(400, { code: 'DIGEST_INVALID', message: 'the manifest has another digest', detail: { digest } })
}

/** SPEC: a registry may refuse a manifest whose blobs it does not hold, naming them (distribution-spec, end-7). */
async function assertChildren(call: Call, document: ImageDocument): Promise<void> {
  const missing: FaultEntry[] = []
  for (const child of successorsOf(document)) {
    const info = await call.store.stat(child.digest, { signal: call.signal })
    if (info && info.size !== child.size) {
      throw invalid(`${child.digest} has ${info.size} bytes, not ${child.size} as the manifest says`)
    }
    if (!info && !isForeignLayerType(child.mediaType)) missing.push(unknownBlob(child.digest))
    if (missing.length === NAMED_IN_ANSWER) break
  }
  if (missing.length > 0) throw new Fault(400, missing)
}

async function setTag(call: Call, name: string, descriptor: Descriptor): Promise<void> {
  try {
    await call.store.references.set(name, descriptor)
  } catch (error) {
    // Something below a child went away, or was never there.
    if (error instanceof BlobNotFoundError) throw new Fault(400, unknownBlob(error.digest))
    if (error instanceof FormatError) throw invalid(error.message)
    throw error
  }
}

function unknownBlob(digest: string): FaultEntry {
  return { code: 'MANIFEST_BLOB_UNKNOWN', message: `the registry does not hold ${digest}`, detail: { digest } }
}

function invalid(message: string): Fault {
  return new Fault(400, { code: 'MANIFEST_INVALID', message })
}
