import { RegistryError, type RegistryErrorDetails } from '../../errors/index.ts'
import type { Descriptor, Repository } from '../../oci/index.ts'
import { shownUrl } from '../addresses/shown-url.ts'
import { SUCCESS } from '../answers/success.ts'
import { cleanText } from '../answers/wire-errors.ts'
import { statBlob } from '../blobs/stat-blob.ts'
import type { ByteBound } from '../endpoint/byte-bound.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import type { RetryBudget } from '../endpoint/retry-budget.ts'
import { drainAnswer } from '../transport/drain-answer.ts'
import type { WireAnswer } from '../transport/transport.ts'
import type { PieceSource } from './piece-source.ts'
import { putBlob } from './put-blob.ts'
import { uploadedBytes } from './upload-range.ts'
import type { UploadSlot } from './upload-state.ts'
import { type UploadStatus, uploadStatus } from './upload-status.ts'

/** An upload that goes on piece by piece. */
export interface PieceUpload {
  readonly endpoint: RegistryEndpoint
  readonly repository: Repository
  readonly descriptor: Descriptor
  readonly source: PieceSource
  readonly slot: UploadSlot | undefined
  readonly sent: ByteBound
  readonly budget: RetryBudget
  readonly signal: AbortSignal | undefined
  /** How large the next piece may be. */
  pieceBytes(): number
  /** The registry has refused so many bytes as too large. `false` if nothing smaller makes sense. */
  shrink(refused: number): boolean
  /** The registry holds so many bytes, after a whole piece or a part of one. Says whether that is progress. */
  reached(offset: number, isWhole: boolean): boolean
  location: URL
  /** Bytes that the registry holds. */
  offset: number
  /** The registry contradicted itself, or us, on how far the upload is, or does not say. */
  isDoubtful: boolean
}

/**
 * Sends the rest of an upload and closes it. What breaks is asked for and gone on with.
 *
 * @throws `LostUpload` if the blob should be sent anew.
 */
export async function sendPieces(upload: PieceUpload): Promise<void> {
  const { size } = upload.descriptor
  while (upload.offset < size) {
    const end = Math.min(size, upload.offset + upload.pieceBytes())
    try {
      await sendPiece(upload, end)
    } catch (error) {
      await recover(upload, end, error)
    }
    await upload.slot?.save(upload.location, upload.offset)
  }
  await close(upload)
}

/**
 * How an upload in pieces ended: the registry lost it, or lost it with its first piece, which some do that know no pieces;
 * or it refuses pieces, or puts them together wrongly.
 */
export type UploadEnd = 'lost' | 'lost at once' | 'refused'

/** Tells that an upload cannot go on, but the blob may be sent in another one. */
export class LostUpload extends Error {
  /** What to report if there is no other try; retryable. */
  readonly failure: RegistryError
  readonly end: UploadEnd

  constructor(failure: RegistryError, end: UploadEnd) {
    super('the upload is lost', { cause: failure })
    this.failure = failure
    this.end = end
  }

  /** The answer that led to this. */
  get first(): RegistryError {
    return this.failure.cause instanceof RegistryError ? this.failure.cause : this.failure
  }
}

async function sendPiece(upload: PieceUpload, end: number): Promise<void> {
  const { endpoint, offset, source, descriptor, sent } = upload
  const answer = await endpoint.send({
    method: 'PATCH',
    url: upload.location,
    scopes: [`repository:${upload.repository.repository}:pull,push`],
    // SPEC: without the unit that HTTP would put before it (distribution-spec, end-5).
    headers: { 'content-type': 'application/octet-stream', 'content-range': `${offset}-${end - 1}` },
    // The last piece is read to the end of the source, so that a source that is too long is noticed.
    body: {
      size: end - offset,
      open: () => sent.count(source.read(offset, end === descriptor.size ? undefined : end)),
    },
    // Some registries answer 201 as if the blob were there already; it is not before the closing PUT.
    expect: SUCCESS,
    once: true,
    signal: upload.signal,
  })
  await drainAnswer(answer)
  const { location } = answer.headers
  const asked = { method: 'PATCH', url: answer.url }
  if (location) upload.location = endpoint.policy.follow(location, asked, 'upload location')
  await noteTaken(upload, end, answer)
}

/**
 * The registry has taken a piece. It is asked how far the upload is only if it says less or more than that, and believed if
 * that is possible: some keep silent, some name the range of the piece alone (regclient/regclient#627, #961), some name
 * `0-0` always. Docker, skopeo and crane never look; what counts is the digest at the closing PUT.
 */
async function noteTaken(upload: PieceUpload, end: number, answer: WireAnswer): Promise<void> {
  const { range } = answer.headers
  const said = uploadedBytes(range, end)
  const why = rangeError(answer, end)
  const contradicts = said !== undefined && said !== end
  const status = contradicts ? await askStatus(upload, end) : undefined
  const held = contradicts ? status?.held : said
  if (status) upload.location = status.location
  if (held !== undefined && held > end) throw new LostUpload(why, 'refused')
  upload.isDoubtful ||= held !== end
  const isPart = held !== undefined && held > upload.offset && held < end
  upload.offset = isPart ? held : end
  const isProgress = upload.reached(upload.offset, !isPart)
  // SAFETY: a registry that takes a few bytes of each piece would have the rest sent again without end.
  if (isPart && !isProgress) await upload.endpoint.waitAfter(why, upload.budget, upload.signal)
}

function askStatus(upload: PieceUpload, sent: number): Promise<UploadStatus | undefined> {
  const { endpoint, repository, location, budget, signal } = upload
  return uploadStatus(endpoint, repository, location, sent, { budget, signal })
}

async function recover(upload: PieceUpload, end: number, error: unknown): Promise<void> {
  if (!(error instanceof RegistryError)) throw error
  const { status } = error
  const failure = passing(error)
  if (status === 404 || status === 410) throw new LostUpload(failure, upload.offset === 0 ? 'lost at once' : 'lost')
  const unsupported = error.errors.some(({ code }) => code === 'UNSUPPORTED')
  if (unsupported || REFUSES_PIECES.includes(status ?? 0)) throw new LostUpload(failure, 'refused')
  // 409: somebody else is adding to it at this moment; 416: somebody has.
  const moved = status === 409 || status === 416
  if (status === 413) {
    if (!upload.shrink(end - upload.offset)) throw error
  } else await upload.endpoint.waitAfter(moved ? failure : error, upload.budget, upload.signal)
  await goWhereItIs(upload, end, failure)
}

/** How registries answer a piece where they take none, or not this one. */
const REFUSES_PIECES: readonly number[] = [400, 405, 406, 411, 415, 501]

/** After a failure only the registry knows how much of the piece it has. */
async function goWhereItIs(upload: PieceUpload, sent: number, why: RegistryError): Promise<void> {
  const status = await askStatus(upload, sent)
  if (status?.held === undefined) throw new LostUpload(why, 'lost')
  if (status.held > sent) throw new LostUpload(why, 'refused')
  if (status.held !== sent) upload.isDoubtful = true
  upload.location = status.location
  upload.offset = status.held
  upload.reached(status.held, status.held === sent)
}

async function close(upload: PieceUpload): Promise<void> {
  const { endpoint, repository, descriptor, location, budget, signal } = upload
  try {
    const body = { size: 0, open: () => [] }
    await putBlob(endpoint, repository, descriptor, location, { body, budget, signal })
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    // The answer to an earlier try may have been lost on its way, and the upload with it: closed, not forgotten.
    const gone = error.status === 404 || error.status === 410
    if (gone && (await isThere(upload))) return
    // What was put together after a contradiction may be wrong where the blob is not.
    const isWrong = error.status === 400 || error.status === 416
    if (upload.isDoubtful && isWrong) throw new LostUpload(passing(error), 'refused')
    if (gone || error.status === 416 || error.status === 409) throw new LostUpload(passing(error), 'lost')
    throw error
  }
}

async function isThere({ endpoint, repository, descriptor, signal }: PieceUpload): Promise<boolean> {
  try {
    return (await statBlob(endpoint, repository, descriptor.digest, signal))?.size === descriptor.size
  } catch (error) {
    // The failure of the closing request is the one to report.
    if (error instanceof RegistryError) return false
    throw error
  }
}

function rangeError(answer: WireAnswer, end: number): RegistryError {
  const said = cleanText(answer.headers.range)
  const details = { method: 'PATCH', url: shownUrl(answer.url), status: answer.status, retryable: true }
  return new RegistryError('ERR_PROTOCOL', `registry says that the upload holds ${said}, not 0-${end - 1}`, details)
}

/** A session that the registry has lost or moved on in is no fault of the blob: another try may do. */
function passing(error: RegistryError): RegistryError {
  const details: RegistryErrorDetails = { ...error, retryable: true }
  return new RegistryError('ERR_REGISTRY', 'registry lost the upload', details, { cause: error })
}
