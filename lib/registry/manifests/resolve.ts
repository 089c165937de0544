import type { Descriptor, Reference } from '../../oci/index.ts'
import { takesHead } from '../answers/head-answer.ts'
import { SUCCESS } from '../answers/success.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import { drainAnswer } from '../transport/drain-answer.ts'
import type { WireAnswer } from '../transport/transport.ts'
import { fetchManifest } from './fetch-manifest.ts'
import { digestHeader, manifestRequest, specificType } from './manifest-request.ts'

/**
 * Resolves a reference by HEAD. Fetches the manifest if the registry refuses HEAD, answers it without digest or length,
 * or redirects it to a URL that allows GET only.
 */
export async function resolve(
  endpoint: RegistryEndpoint,
  reference: Reference,
  signal: AbortSignal | undefined,
): Promise<Descriptor> {
  const request = manifestRequest(endpoint, 'HEAD', reference, signal)
  const answer = await endpoint.send({ ...request, expect: takesHead(request.url) })
  await drainAnswer(answer)
  if (reference.digest === undefined) endpoint.checkNamespace(answer, 'HEAD')
  const descriptor = SUCCESS.includes(answer.status) ? describe(answer, reference) : undefined
  return descriptor ?? (await fetchManifest(endpoint, reference, signal)).descriptor
}

function describe({ headers }: WireAnswer, reference: Reference): Descriptor | undefined {
  const told = digestHeader(headers)
  // If the registry names another digest than the requested one, the bytes decide.
  if (reference.digest !== undefined && told !== undefined && told !== reference.digest) return undefined
  const digest = reference.digest ?? told
  const mediaType = specificType(headers['content-type'])
  const size = Number(headers['content-length'] ?? Number.NaN)
  if (digest === undefined || mediaType === undefined || mediaType === 'text/html') return undefined
  if (!Number.isSafeInteger(size) || size <= 0 || headers['content-encoding'] !== undefined) return undefined
  return { mediaType, digest, size }
}
