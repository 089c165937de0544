import { verifyBytes } from '../../digest/index.ts'
import { FormatError, LayerStoreError } from '../../errors/index.ts'
import { findDescriptor, type NamedBlobs } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import { parseManifest, parseReference } from '../../oci/index.ts'
import type { RegistryClient } from '../../registry/index.ts'
import { readDocument } from '../../store/index.ts'
import { imageToVerify, registrySourceEndpoint, storeSourceEndpoint } from '../../transfer/index.ts'
import type { VerifyBase } from '../verify-base.ts'
import { assertCacheManifest, CACHE_NAME, MOST_CACHE_BYTES, readCacheConfig } from './cache-artifact.ts'
import type { ImportedCache } from './imported-cache.ts'

/** A place that holds an exported cache. */
export type CacheSource =
  | {
      /** Client of the registry. @defaultValue the registry of the build */
      readonly registry?: RegistryClient | undefined
      /** Reference of the cache. */
      readonly reference: string
    }
  | {
      /** Path of a store on disk. */
      readonly directory: string
      /** Name of the cache in the store. @defaultValue the name that `exportCache` uses */
      readonly name?: string | undefined
    }
  | {
      /** Path of an archive. */
      readonly archive: string
    }

/** Options of {@link importCache}. */
export interface ImportCacheOptions extends AbortOptions {
  /** Resolve to an empty cache if there is none at the place, as before the first build. @defaultValue `false` */
  readonly optional?: boolean | undefined
  /**
   * Verifies the manifest of the cache, with the digest that is used: its layers become part of images. `verify` of a
   * policy is such a function.
   */
  readonly verify?: VerifyBase | undefined
}

/**
 * Opens a cache that another build has exported. Its records are read; layers are read when a build needs them. A build
 * that imports a cache trusts it as it trusts a base image. Close it after the build.
 *
 * @throws {@link FormatError} `ERR_UNSUPPORTED_MEDIA_TYPE` if something else is there, `ERR_INVALID_MANIFEST`; errors
 * of the registry, the directory or the archive, unless there is nothing and the cache is optional.
 */
export async function importCache(source: CacheSource, options: ImportCacheOptions = {}): Promise<ImportedCache> {
  try {
    if ('reference' in source) return await fromRegistry(source, options)
    if ('archive' in source) {
      const { openArchive } = await import('../../archive/index.ts')
      const archive = await openArchive(source.archive, { signal: options.signal })
      const place = { blobs: archive, label: `oci-archive:${source.archive}`, close: () => archive.close() }
      return await fromBlobs(place, undefined, options)
    }
    const { openStore } = await import('../../disk-store/index.ts')
    const store = await openStore(source.directory, { readOnly: true })
    const place = { blobs: store, label: `oci:${source.directory}`, close: () => store.close() }
    return await fromBlobs(place, source.name, options)
  } catch (error) {
    options.signal?.throwIfAborted()
    if (options.optional && isAbsent(error)) return emptyCache()
    throw error
  }
}

async function fromRegistry(
  { registry, reference: text }: Extract<CacheSource, { reference: string }>,
  options: ImportCacheOptions,
): Promise<ImportedCache> {
  if (!registry) throw new FormatError('ERR_INVALID_ARGUMENT', `the cache ${text} needs the client of its registry`)
  const reference = parseReference(text)
  const { descriptor, bytes } = await registry.fetchManifest(reference, options)
  const manifest = parseManifest(bytes)
  assertCacheManifest(manifest, text)
  await options.verify?.(imageToVerify(registrySourceEndpoint(registry, reference), descriptor, options))
  const config = verifyBytes(registry.fetchBlob(reference, manifest.config, options), manifest.config)
  const records = readCacheConfig(manifest, await collectBytes(config, MOST_CACHE_BYTES, 'config of a build cache'))
  return {
    records,
    read: (layer, options) => registry.fetchBlob(reference, layer, options),
    [Symbol.asyncDispose]: async () => {},
  }
}

interface CachePlace {
  readonly blobs: NamedBlobs
  readonly label: string
  close(): Promise<void>
}

async function fromBlobs(
  { blobs, label, close }: CachePlace,
  given: string | undefined,
  options: ImportCacheOptions,
): Promise<ImportedCache> {
  const name = given ?? CACHE_NAME
  try {
    const root = await findDescriptor(blobs, name, options)
    const manifest = parseManifest(await readDocument(blobs, root, options))
    assertCacheManifest(manifest, name)
    const source = storeSourceEndpoint(blobs, name, `${label}:${name}`, { verbatim: true })
    // SAFETY: a bare name of a layout, and the name that every exported cache has, are of no repository. As
    // `docker.io/library/…` they would accept the signatures of another image.
    const named = given === undefined ? { ...source, name: undefined } : source
    await options.verify?.(imageToVerify(named, root, options))
    const config = await readDocument(blobs, manifest.config, { ...options, limit: MOST_CACHE_BYTES })
    return {
      records: readCacheConfig(manifest, config),
      read: (layer, { signal } = {}) => blobs.read(layer.digest, { verify: 'never', signal }),
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

const ABSENT = ['ERR_MANIFEST_NOT_FOUND', 'ERR_REFERENCE_NOT_FOUND', 'ERR_STORE_NOT_FOUND']

function isAbsent(error: unknown): boolean {
  if (!LayerStoreError.is(error)) return false
  const { errno } = error as { errno?: unknown }
  return ABSENT.includes(error.code) || errno === 'ENOENT'
}

function emptyCache(): ImportedCache {
  return {
    records: new Map(),
    // No record leads here.
    async *read() {},
    [Symbol.asyncDispose]: async () => {},
  }
}
