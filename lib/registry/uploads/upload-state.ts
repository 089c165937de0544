import { type Digest, digestOf, parseDigest } from '../../digest/index.ts'
import { parseStrictJson } from '../../internal/strict-json.ts'
import type { Repository } from '../../oci/index.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import type { UploadMemory } from '../registry-client.ts'

/** Entry of one unfinished upload in a memory. */
export interface UploadSlot {
  /** Resolves to the upload's URL, after the same URL policy check as for one in an answer. */
  load(endpoint: RegistryEndpoint): Promise<URL | undefined>
  save(location: URL, offset: number): Promise<void>
  clear(): Promise<void>
}

/** Returns the entry of a blob's upload to a repository; `undefined` without a memory. */
export async function uploadSlot(
  memory: UploadMemory | undefined,
  { registry, repository }: Repository,
  digest: Digest,
): Promise<UploadSlot | undefined> {
  if (!memory) return undefined
  const target = await digestOf(new TextEncoder().encode(`${registry}/${repository}`))
  const key = `upload:${target.slice(-32)}:${parseDigest(digest)}`
  return {
    async load(endpoint) {
      const bytes = await memory.get(key)
      const location = bytes && locationIn(bytes)
      const asked = { method: 'GET', url: endpoint.base }
      return location === undefined ? undefined : endpoint.policy.follow(location, asked, 'upload location')
    },
    async save(location, offset) {
      await memory.set(key, new TextEncoder().encode(JSON.stringify({ version: 1, location: location.href, offset })))
    },
    clear: () => memory.delete(key),
  }
}

/** Returns the URL of an entry; `undefined` if the entry is malformed. */
function locationIn(bytes: Uint8Array): string | undefined {
  try {
    const state = parseStrictJson(bytes) as { version?: unknown; location?: unknown } | null
    return state?.version === 1 && typeof state.location === 'string' ? state.location : undefined
  } catch {
    return undefined
  }
}
