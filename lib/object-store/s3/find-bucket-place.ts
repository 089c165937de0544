import { invalidArgument } from '../../internal/invalid-argument.ts'
import type { BucketOptions } from './bucket-options.ts'
import type { Profile } from './credentials/shared-files.ts'
import { encodeText } from './signing/encode.ts'

/** Place of a bucket. */
export interface BucketPlace {
  /** Scheme, host and port of requests. */
  readonly origin: URL
  /** Encoded path of the bucket without a slash at its end. */
  readonly basePath: string
  readonly bucket: string
  /** Empty, or with a slash at its end. */
  readonly prefix: string
  readonly region: string
  /** For messages. */
  readonly address: string
}

/**
 * Finds the address of a bucket.
 *
 * @param profile - Settings of the shared files.
 * @throws `FormatError` `ERR_INVALID_ARGUMENT`.
 */
export function findBucketPlace(options: BucketOptions, environment: NodeJS.ProcessEnv, profile: Profile): BucketPlace {
  const { bucket } = options
  assertBucket(bucket)
  const prefix = prefixOf(options.prefix)
  const region =
    options.region ?? (environment.AWS_REGION || environment.AWS_DEFAULT_REGION || profile.region || 'us-east-1')
  if (typeof region !== 'string' || !/^[a-zA-Z0-9-]{1,64}$/.test(region)) {
    throw invalidArgument('region', 'letters, digits and hyphens', region)
  }
  const given =
    options.endpoint ?? (environment.AWS_ENDPOINT_URL_S3 || environment.AWS_ENDPOINT_URL || profile.endpoint_url)
  const origin = originOf(given ?? awsEndpoint(region), options.allowHttp === true)
  const path = origin.pathname.replace(/\/+$/, '')
  const isPathStyle = options.pathStyle ?? (given !== undefined || bucket.includes('.'))
  if (!isPathStyle) origin.hostname = `${bucket}.${origin.hostname}`
  const where = given === undefined ? '' : ` at ${origin.origin}${path}`
  return {
    origin,
    basePath: isPathStyle ? `${path}/${encodeText(bucket)}` : path,
    bucket,
    prefix,
    region,
    address: `s3://${bucket}${prefix === '' ? '' : `/${prefix.slice(0, -1)}`}${where}`,
  }
}

/** SPEC: names of older buckets may have capitals and underscores. */
function assertBucket(bucket: unknown): asserts bucket is string {
  if (typeof bucket !== 'string' || !/^[a-zA-Z0-9][\w.-]{1,253}[a-zA-Z0-9]$/.test(bucket) || bucket.includes('..')) {
    throw invalidArgument('bucket', 'the name of a bucket: 3 or more letters, digits, hyphens and dots', bucket)
  }
}

function prefixOf(prefix: unknown): string {
  if (prefix === undefined || prefix === '') return ''
  const isPlain = typeof prefix === 'string' && prefix.length <= 512 && !/[\x00-\x1f\x7f]/.test(prefix)
  const text = isPlain ? prefix.replace(/^\/+|\/+$/g, '') : ''
  if (text === '' || text.split('/').some(part => part === '' || part === '.' || part === '..')) {
    throw invalidArgument('prefix', 'parts joined by single slashes, none of them "." or ".."', prefix)
  }
  return `${text}/`
}

function awsEndpoint(region: string): string {
  return `https://s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`
}

function originOf(endpoint: unknown, allowHttp: boolean): URL {
  // SAFETY: the address may contain a password, so the error does not quote it.
  const expected = 'an http or https address without user, query and fragment'
  if (typeof endpoint !== 'string' || !URL.canParse(endpoint))
    throw invalidArgument('endpoint', expected, typeof endpoint)
  const url = new URL(endpoint)
  const isPlain = url.username === '' && url.password === '' && url.search === '' && url.hash === ''
  if (!/^https?:$/.test(url.protocol) || !isPlain) throw invalidArgument('endpoint', expected, 'another one')
  if (url.protocol === 'http:' && !allowHttp && !isLoopback(url.hostname)) {
    const expectation = 'an https address: plain http shows blobs to the network; allow it with allowHttp'
    throw invalidArgument('endpoint', expectation, `${url.origin}`)
  }
  return url
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || /^127\.\d+\.\d+\.\d+$|^\[::1\]$/.test(hostname)
}
