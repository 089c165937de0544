import { parseAmount } from '../amounts/parse-amount.ts'
import { UsageError } from '../failing/usage-error.ts'

/** A store in a bucket, as an address names it. */
export interface BucketAddress {
  readonly bucket: string
  readonly prefix?: string
  readonly endpoint?: string
  readonly region?: string
  readonly allowHttp?: boolean
  /** Directory of this machine that keeps blobs of the bucket. */
  readonly cache?: string
  /** Most bytes in that directory. */
  readonly cacheBytes?: number
}

/** Whether the text that names a store is the address of a bucket. */
export function isBucketAddress(store: string): boolean {
  return store.startsWith('s3://')
}

/**
 * Parses `s3://BUCKET/PREFIX?endpoint=URL&region=NAME&allow-http&cache=DIR&cache-size=20GB`.
 *
 * @throws {@link UsageError} `ERR_USAGE`.
 */
export function parseBucketAddress(address: string): BucketAddress {
  const [place = '', query = ''] = address.slice('s3://'.length).split(/\?(.*)/s)
  const [bucket = '', ...rest] = place.split('/')
  const prefix = rest.join('/').replace(/\/+$/, '')
  if (bucket === '')
    throw new UsageError(`the address of a store in a bucket is s3://BUCKET/PREFIX; got ${quoted(address)}`)
  // A user name before the bucket would be a key, and every user of a machine may read its command lines.
  if (bucket.includes('@')) {
    throw new UsageError(
      'the address of a bucket has no key: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile',
    )
  }
  return { bucket, ...(prefix && { prefix }), ...settingsIn(query) }
}

function settingsIn(query: string): Omit<BucketAddress, 'bucket' | 'prefix'> {
  const settings: { -readonly [K in keyof BucketAddress]?: BucketAddress[K] } = {}
  for (const [name, value] of new URLSearchParams(query)) {
    if (name === 'endpoint' && value) settings.endpoint = value
    else if (name === 'region' && value) settings.region = value
    else if (name === 'allow-http' && value === '') settings.allowHttp = true
    else if (name === 'cache' && value) settings.cache = value
    else if (name === 'cache-size' && value) settings.cacheBytes = parseAmount('cache-size', value, 'bytes')
    else
      throw new UsageError(
        `the address of a bucket takes ?endpoint=URL&region=NAME&allow-http&cache=DIR&cache-size=20GB; got ${quoted(name)}`,
      )
  }
  return settings
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 200))
}
