import { type Digest, isDigest } from '../../digest/index.ts'
import { FormatError } from '../../errors/index.ts'
import { IMAGE_MEDIA_TYPES, isTag, type Reference } from '../../oci/index.ts'
import type { RegistryEndpoint, RegistryRequest } from '../endpoint/registry-endpoint.ts'

/** Builds the request for the manifest of a reference: by its digest, else by its tag. */
export function manifestRequest(
  endpoint: RegistryEndpoint,
  method: 'HEAD' | 'GET',
  reference: Reference,
  signal: AbortSignal | undefined,
): RegistryRequest {
  return {
    method,
    url: endpoint.url(reference, `manifests/${manifestName(reference)}`),
    scopes: [`repository:${reference.repository}:pull`],
    headers: { accept: [...IMAGE_MEDIA_TYPES, '*/*;q=0.1'].join(', ') },
    expect: [200],
    notFound: 'ERR_MANIFEST_NOT_FOUND',
    signal,
  }
}

function manifestName({ digest, tag = 'latest' }: Reference): string {
  // SAFETY: digest and tag become part of the URL; other text could lead to another path of the registry.
  if (digest !== undefined ? isDigest(digest) : isTag(tag)) return digest ?? tag
  throw new FormatError('ERR_INVALID_REFERENCE', `not a tag or digest: ${JSON.stringify(String(digest ?? tag))}`)
}

/** Parses `Docker-Content-Digest`; `undefined` if the header is missing or is not exactly one digest. */
export function digestHeader(headers: { readonly [name: string]: unknown }): Digest | undefined {
  const header = headers['docker-content-digest']
  return isDigest(header) ? header : undefined
}

/** Returns a media type without its parameters; `undefined` if it does not name a kind of document. */
export function specificType(header: string | undefined): string | undefined {
  const type = (header ?? '').split(';', 1)[0]!.trim().toLowerCase()
  const generic = ['', 'application/json', 'application/octet-stream', 'binary/octet-stream', 'text/plain']
  return generic.includes(type) ? undefined : type
}
