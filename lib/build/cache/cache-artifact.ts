import { type Digest, isDigest } from '../../digest/index.ts'
import { FormatError } from '../../errors/index.ts'
import type { Descriptor, ImageManifest } from '../../oci/index.ts'
import { parseStepRecord, type StepRecord } from './step-record.ts'

/** Artifact type of an exported cache: its layers are the cached layers, its config lists the records. */
export const CACHE_ARTIFACT_TYPE = 'application/vnd.layerstore.build-cache.v1'

/** Media type of the config. */
export const CACHE_CONFIG_TYPE = 'application/vnd.layerstore.build-cache.config.v1+json'

/** Name of a cache in a directory or an archive. */
export const CACHE_NAME = 'cache:latest'

/** Limits the records that are read from another place. */
export const MOST_CACHE_BYTES: number = 64 * 1024 * 1024

/** The config of an exported cache. */
export function cacheConfigOf(records: readonly StepRecord[]): { version: 1; records: readonly StepRecord[] } {
  return { version: 1, records: records.map(withoutInputs) }
}

/** The lists of inputs stay behind: they serve explanations, and the next build there makes its own. */
function withoutInputs({ inputs: _, ...record }: StepRecord): StepRecord {
  return { ...record, blobs: [record.layer.digest] }
}

/** One descriptor for each cached layer. */
export function cachedLayers(records: readonly StepRecord[]): Descriptor[] {
  return [...new Map(records.map(({ layer }) => [layer.digest, layer])).values()]
}

/**
 * Reads the records of an exported cache, by their keys. Records that are malformed, or whose layer the artifact does
 * not have, are left out.
 *
 * @throws {@link FormatError} `ERR_INVALID_MANIFEST` if the artifact is no cache.
 */
export function readCacheConfig(manifest: ImageManifest, bytes: Uint8Array): Map<Digest, StepRecord> {
  const own = new Map(manifest.layers.map(layer => [layer.digest, layer]))
  const found = new Map<Digest, StepRecord>()
  for (const value of recordsIn(bytes)) {
    const record = parseStepRecord(Buffer.from(JSON.stringify(value)))
    if (!record || own.get(record.layer.digest)?.size !== record.layer.size) continue
    for (const key of [record.key, record.definition]) if (key && isDigest(key)) found.set(key, record)
  }
  return found
}

function recordsIn(bytes: Uint8Array): readonly unknown[] {
  try {
    const { version, records } = JSON.parse(Buffer.from(bytes).toString('utf8'))
    if (version === 1 && Array.isArray(records)) return records
  } catch (cause) {
    throw new FormatError('ERR_INVALID_MANIFEST', 'the config of the build cache is not JSON', { cause })
  }
  throw new FormatError('ERR_INVALID_MANIFEST', 'the config of the build cache is not of version 1')
}

/** @throws {@link FormatError} `ERR_UNSUPPORTED_MEDIA_TYPE` if a manifest is not that of a cache. */
export function assertCacheManifest({ config }: ImageManifest, name: string): void {
  if (config.mediaType === CACHE_CONFIG_TYPE) return
  const message = `${name} is no build cache: its config is ${config.mediaType}`
  throw new FormatError('ERR_UNSUPPORTED_MEDIA_TYPE', message)
}
