import { BucketError, type BucketErrorCode, type BucketErrorDetails } from '../../../errors/index.ts'
import type { ReadAnswer } from './read-answer.ts'
import { readXml, textOf } from './read-xml.ts'

/** Contents of an answer that tells a failure. */
export interface WireFault {
  readonly code: string
  readonly message: string
  /** Region that the service expects. */
  readonly region: string | undefined
  readonly requestId: string | undefined
}

const MOST_MESSAGE = 256

/** Codes of the same request that may succeed later, whatever the status is. */
const TRANSIENT = new Set([
  'ConditionalRequestConflict',
  'IncompleteBody',
  'InternalError',
  'OperationAborted',
  'RequestTimeout',
  'ServiceUnavailable',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
])
const TRANSIENT_STATUS = new Set([408, 425, 429, 500, 502, 503, 504])

const DENIED = new Set([
  'AccessDenied',
  'AccountProblem',
  'AllAccessDisabled',
  'ExpiredToken',
  'InvalidAccessKeyId',
  'InvalidToken',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
  'TokenRefreshRequired',
])

/** Reads what an answer with a failure says. A middlebox may have answered without a document. */
export function wireFaultOf({ headers, status, text }: ReadAnswer): WireFault {
  const requestId = shown(String(headers['x-amz-request-id'] ?? ''))
  const redirected = headers['x-amz-bucket-region']
  try {
    const error = readXml(text)
    const code = shown(textOf(error, 'Code') ?? '')
    if (error.name !== 'Error' || code === '') throw new Error('no error')
    const region = textOf(error, 'Region') ?? (redirected === undefined ? undefined : String(redirected))
    const message = shown(textOf(error, 'Message') ?? '')
    return { code, message, region: region && shown(region), requestId: requestId || textOf(error, 'RequestId') }
  } catch {
    const region = redirected === undefined ? undefined : shown(String(redirected))
    return { code: codeOfStatus(status), message: '', region, requestId: requestId || undefined }
  }
}

/** HEAD answers have no body. */
function codeOfStatus(status: number): string {
  return (
    {
      403: 'AccessDenied',
      404: 'NoSuchKey',
      409: 'OperationAborted',
      412: 'PreconditionFailed',
      501: 'NotImplemented',
    }[status] ?? ''
  )
}

/** SAFETY: the text may be anything; it gets into logs and terminals. */
function shown(text: string): string {
  const plain = text.replace(/[^\x20-\x7e\u00a0-\uffff]+/g, ' ').trim()
  return plain.length > MOST_MESSAGE ? `${plain.slice(0, MOST_MESSAGE)}…` : plain
}

/** The request and its place, for messages. */
export interface FaultPlace {
  readonly method: string
  /** Address without a query. */
  readonly url: string
  readonly bucket: string
  readonly region: string
}

/** Builds the error of an answer that is no success. */
export function bucketErrorOf(answer: ReadAnswer, fault: WireFault, place: FaultPlace): BucketError {
  const { code, requestId } = fault
  const [kind, message] = judged(answer.status, fault, place)
  const details: BucketErrorDetails = {
    method: place.method,
    url: place.url,
    status: answer.status,
    wireCode: code || undefined,
    requestId,
    retryable: kind === 'ERR_BUCKET_BUSY',
    retryAfterMs: retryAfterOf(answer),
  }
  return new BucketError(kind, message, details)
}

function judged(status: number, fault: WireFault, { bucket, region }: FaultPlace): [BucketErrorCode, string] {
  const { code, message } = fault
  const said = `${status}${code ? ` ${code}` : ''}${message ? `: ${message}` : ''}`
  if (TRANSIENT.has(code) || TRANSIENT_STATUS.has(status))
    return ['ERR_BUCKET_BUSY', `object storage is busy (${said})`]
  if (code === 'NoSuchBucket') return ['ERR_BUCKET_NOT_FOUND', `there is no bucket ${bucket} (${said})`]
  // Ceph answers NoSuchKey to a request about parts; requests about an object take a 404 for an answer.
  if (code === 'NoSuchUpload' || code === 'NoSuchKey') {
    return ['ERR_BUCKET_UPLOAD_NOT_FOUND', `the upload has ended (${said})`]
  }
  const isElsewhere = code === 'AuthorizationHeaderMalformed' && fault.region !== undefined
  if (status === 301 || status === 307 || isElsewhere || code === 'IllegalLocationConstraintException') {
    const right = fault.region ? `region ${fault.region}` : 'another region or at another address'
    return ['ERR_BUCKET_REGION', `bucket ${bucket} is in ${right}, not in region ${region} (${said})`]
  }
  if (code === 'SignatureDoesNotMatch') {
    const advice = 'the secret key or the region is wrong, or a middlebox changed the request'
    return ['ERR_BUCKET_DENIED', `the signature was refused: ${advice} (${said})`]
  }
  if (DENIED.has(code) || status === 401 || status === 403) return ['ERR_BUCKET_DENIED', `access was denied (${said})`]
  if (status === 501) return ['ERR_BUCKET_UNSUPPORTED', `object storage lacks a feature of the request (${said})`]
  if (status >= 300 && status < 400) return ['ERR_BUCKET_PROTOCOL', `an unexpected redirect (${said})`]
  return ['ERR_BUCKET', `object storage refused the request (${said})`]
}

function retryAfterOf({ headers }: ReadAnswer): number | undefined {
  const text = headers['retry-after']
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) * 1000 : undefined
}
