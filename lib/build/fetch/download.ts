import type { IncomingMessage } from 'node:http'
import { type Digest, isDigest } from '../../digest/index.ts'
import { BuildError, DigestMismatchError, LayerStoreError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Store } from '../../store/index.ts'
import { digestOfFrames } from '../keys/key-part.ts'
import { httpGet, shownAddress } from './http-get.ts'

/** A file that was downloaded into a store. */
export interface Download {
  readonly digest: Digest
  readonly size: number
  /** `Last-Modified`, in seconds since 1970; 0 if the server sends none. */
  readonly mtime: number
  readonly etag?: string | undefined
  readonly lastModified?: string | undefined
}

/**
 * Downloads a file into a store as a blob. A file that was downloaded before is asked for with its `ETag` and its time,
 * and is not sent again if it has not changed.
 *
 * @throws {@link BuildError} `ERR_BUILD_FETCH`; {@link DigestMismatchError} if the file does not have the checksum.
 */
export async function download(
  store: Store,
  url: string,
  checksum: string | undefined,
  options: AbortOptions,
): Promise<Download> {
  const fact = `fetch:${await digestOfFrames(() => [url])}`
  const known = await knownDownload(store, fact, options)
  if (known && checksum === known.digest) return known
  const response = await httpGet(url, known ? conditionsOf(known) : {}, options)
  if (known && response.statusCode === 304) {
    response.destroy()
    return known
  }
  const fresh = await take(store, response, new URL(url), checksum, options)
  await store.derived.set('facts', fact, Buffer.from(JSON.stringify({ version: 1, ...fresh }))).catch(() => undefined)
  return fresh
}

async function take(
  store: Store,
  response: IncomingMessage,
  url: URL,
  checksum: string | undefined,
  { signal }: AbortOptions,
): Promise<Download> {
  const length = Number(response.headers['content-length'] ?? Number.NaN)
  const size = Number.isSafeInteger(length) ? length : undefined
  try {
    const digest = checksum !== undefined && isDigest(checksum) ? checksum : undefined
    const info = await store.put(response, {
      signal,
      ...(digest ? { digest } : {}),
      ...(size === undefined ? {} : { size }),
    })
    const { etag, 'last-modified': lastModified } = response.headers
    const time = Date.parse(lastModified ?? '')
    return { ...info, mtime: Number.isNaN(time) ? 0 : Math.floor(time / 1000), etag, lastModified }
  } catch (error) {
    signal?.throwIfAborted()
    if (LayerStoreError.is(error) && !(error instanceof DigestMismatchError)) throw error
    const problem =
      error instanceof DigestMismatchError
        ? 'the file does not have the checksum of the step'
        : 'the download broke off'
    throw new BuildError('ERR_BUILD_FETCH', `${problem}: ${shownAddress(url)}`, {}, { cause: error })
  } finally {
    response.destroy()
  }
}

function conditionsOf({ etag, lastModified }: Download): Record<string, string> {
  return {
    ...(etag ? { 'if-none-match': etag } : {}),
    ...(lastModified && !etag ? { 'if-modified-since': lastModified } : {}),
  }
}

/** Resolves to the record of an earlier download, if the store still has the file. */
async function knownDownload(store: Store, fact: string, options: AbortOptions): Promise<Download | undefined> {
  try {
    const bytes = await store.derived.get('facts', fact, options)
    if (!bytes) return undefined
    const { version, digest, size, mtime, etag, lastModified } = JSON.parse(Buffer.from(bytes).toString('utf8'))
    if (version !== 1 || typeof digest !== 'string' || !isDigest(digest) || typeof mtime !== 'number') return undefined
    const stored = await store.stat(digest, options)
    return stored?.size === size ? { digest, size: stored!.size, mtime, etag, lastModified } : undefined
  } catch {
    options.signal?.throwIfAborted()
    return undefined
  }
}
