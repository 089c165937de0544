import { splitDigest } from '../../digest/index.ts'
import { DigestMismatchError, RegistryError } from '../../errors/index.ts'
import type { Descriptor, Repository } from '../../spec/index.ts'
import { drainAnswer } from '../answers/drain-answer.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import { digestHeader } from '../manifests/manifest-request.ts'
import { SourceFailure } from '../transport/transport.ts'
import { cancelUpload } from './cancel-upload.ts'
import { startUpload } from './start-upload.ts'

/** Uploads a blob in one piece; every try begins a new upload and reads the source from its start. */
export async function pushBlob(
  endpoint: RegistryEndpoint,
  repository: Repository,
  descriptor: Descriptor,
  open: () => AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const budget = endpoint.budget()
  for (;;) {
    const { answer, location } = await startUpload(endpoint, repository, { signal, budget })
    if (!location) throw new RegistryError('ERR_PROTOCOL', 'upload began without an address', answer)
    try {
      return await putBlob(endpoint, repository, descriptor, location, open, signal)
    } catch (error) {
      await cancelUpload(endpoint, repository, location)
      if (error instanceof SourceFailure) throw error.cause
      await endpoint.waitAfter(asRetryable(error), budget, signal)
    }
  }
}

async function putBlob(
  endpoint: RegistryEndpoint,
  repository: Repository,
  descriptor: Descriptor,
  location: URL,
  open: () => AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const answer = await endpoint.send({
    method: 'PUT',
    url: withDigest(location, descriptor.digest),
    scopes: [`repository:${repository.repository}:pull,push`],
    headers: { 'content-type': 'application/octet-stream' },
    body: { size: descriptor.size, open },
    expect: [200, 201, 204],
    once: true,
    signal,
  })
  await drainAnswer(answer)
  const kept = digestHeader(answer.headers)
  if (kept === undefined || kept === descriptor.digest) return
  const sameAlgorithm = splitDigest(kept).algorithm === splitDigest(descriptor.digest).algorithm
  if (sameAlgorithm) throw new DigestMismatchError({ expected: descriptor.digest, actual: kept, what: 'pushed blob' })
}

/** Appends to the text: `searchParams` would write the rest of the query anew, and some are signed. */
function withDigest(location: URL, digest: string): URL {
  const url = new URL(location)
  url.search = `${url.search === '' ? '?' : `${url.search}&`}digest=${encodeURIComponent(digest)}`
  return url
}

/** A session that the registry has lost (404) or moved on in (416) is no fault of the blob: a new one may do. */
function asRetryable(error: unknown): unknown {
  if (!(error instanceof RegistryError) || (error.status !== 404 && error.status !== 416)) return error
  return new RegistryError('ERR_REGISTRY', 'registry lost the upload', { ...error, retryable: true }, { cause: error })
}
