import { digestOf, splitDigest } from '../../digest/index.ts'
import { DigestMismatchError, LimitError, RegistryError } from '../../errors/index.ts'
import { Limits, parseImageDocument, type Reference } from '../../oci/index.ts'
import { shownUrl } from '../addresses/shown-url.ts'
import { readAnswerDocument } from '../answers/content-coding.ts'
import { WITH_BODY } from '../answers/success.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import type { FetchedManifest } from '../registry-client.ts'
import { drainAnswer } from '../transport/drain-answer.ts'
import type { WireAnswer } from '../transport/transport.ts'
import { digestHeader, manifestRequest, specificType } from './manifest-request.ts'

/**
 * Fetches the manifest of a reference. Bounds its size and compares its digest with the requested one, else with the
 * announced one.
 */
export async function fetchManifest(
  endpoint: RegistryEndpoint,
  reference: Reference,
  signal: AbortSignal | undefined,
): Promise<FetchedManifest> {
  const { answer, bytes } = await readManifest(endpoint, reference, signal)
  const expected = reference.digest ?? digestHeader(answer.headers)
  const digest = await digestOf(bytes, expected ? { algorithm: splitDigest(expected).algorithm } : {})
  if (expected !== undefined && expected !== digest) {
    throw new DigestMismatchError({ expected, actual: digest, what: 'manifest' })
  }
  const mediaType = specificType(answer.headers['content-type']) ?? parseImageDocument(bytes).mediaType
  return { descriptor: { mediaType, digest, size: bytes.byteLength }, bytes }
}

/** Repeats the whole exchange if the body breaks off: manifests are small. */
async function readManifest(endpoint: RegistryEndpoint, reference: Reference, signal: AbortSignal | undefined) {
  const request = manifestRequest(endpoint, 'GET', reference, signal)
  const budget = endpoint.budget()
  for (;;) {
    const answer = await endpoint.send({ ...request, budget, expect: [...WITH_BODY, 404] })
    if (answer.status === 404) await explainAbsence(endpoint, request.scopes, answer, signal)
    if (isHtml(answer)) throw await notARegistry(answer)
    if (reference.digest === undefined) checkNamespace(endpoint, answer)
    try {
      return { answer, bytes: await readBounded(answer) }
    } catch (error) {
      await endpoint.waitAfter(error, budget, signal)
    }
  }
}

/** Checks the namespace of an answer by tag. A digest proves the bytes, whichever registry they are from. */
function checkNamespace(endpoint: RegistryEndpoint, answer: WireAnswer): void {
  try {
    endpoint.checkNamespace(answer, 'GET')
  } catch (error) {
    answer.cancel()
    throw error
  }
}

async function readBounded(answer: WireAnswer): Promise<Uint8Array> {
  const limit = Limits.manifestBytes
  const announced = Number(answer.headers['content-length'] ?? 0)
  if (announced > limit) {
    answer.cancel()
    throw new LimitError('manifest bytes', { limit, actual: announced })
  }
  return readAnswerDocument(answer, limit, 'manifest bytes')
}

/** Distinguishes a missing manifest from a server that is not a registry and answers every request with 404. */
async function explainAbsence(
  endpoint: RegistryEndpoint,
  scopes: readonly string[],
  answer: WireAnswer,
  signal: AbortSignal | undefined,
): Promise<never> {
  const { url } = answer
  const knownToBeRegistry = answer.headers['docker-distribution-api-version'] !== undefined || isJson(answer)
  await drainAnswer(answer)
  if (!knownToBeRegistry) {
    const base = { method: 'GET', url: new URL('/v2/', endpoint.base), scopes, signal }
    // Any answer or failure of this probe is accepted: the error to report is the 404 of the manifest.
    const probe = await endpoint.send({ ...base, expect: () => true })
    if (probe.status === 404 || isHtml(probe)) throw await notARegistry(probe)
    await drainAnswer(probe)
  }
  const details = { method: 'GET', url: shownUrl(url), status: 404 }
  throw new RegistryError('ERR_MANIFEST_NOT_FOUND', 'registry has no such manifest (404)', details)
}

function isHtml(answer: WireAnswer): boolean {
  return specificType(answer.headers['content-type']) === 'text/html'
}

function isJson(answer: WireAnswer): boolean {
  return /^application\/(.*\+)?json\b/i.test(answer.headers['content-type'] ?? '')
}

async function notARegistry(answer: WireAnswer): Promise<RegistryError> {
  await drainAnswer(answer)
  const details = { method: 'GET', url: shownUrl(answer.url), status: answer.status }
  return new RegistryError('ERR_PROTOCOL', 'not a registry, or something stands before it', details)
}
