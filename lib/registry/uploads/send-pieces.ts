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

/** State of an upload in pieces. */
export interface PieceUpload {
  readonly endpoint: RegistryEndpoint
  readonly repository: Repository
  readonly descriptor: Descriptor
  readonly source: PieceSource
  readonly slot: UploadSlot | undefined
  readonly sent: ByteBound
  readonly budget: RetryBudget
  readonly signal: AbortSignal | undefined
  /** Returns the largest size of the next piece. */
  pieceBytes(): number
  /** Records that the registry refused this many bytes as too large. `false` if smaller pieces make no sense. */
  shrink(refused: number): boolean
  /**
   * Records the bytes that the registry holds, after a whole piece or a part of one. Returns whether that is progress.
   */
  reached(offset: number, isWhole: boolean): boolean
  location: URL
  /** Number of bytes that the registry holds. */
  offset: number
  /** True if the registry's offset was missing, contradictory, or different from the bytes sent. */
  isDoubtful: boolean
}

/**
 * Sends the rest of an upload and closes it. After a failure it asks the registry for the offset and resumes there.
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
 * Reason why an upload in pieces cannot continue.
 *
 * - `lost`: the registry lost it.
 * - `lost at once`: the registry lost it at the first piece, as some do that do not support pieces.
 * - `refused`: the registry refuses pieces or assembles them wrongly.
 */
export type UploadEnd = 'lost' | 'lost at once' | 'refused'

/** Reports that an upload cannot continue, while another upload of the blob may succeed. */
export class LostUpload extends Error {
  /** The error to report if no try is left; retryable. */
  readonly failure: RegistryError
  readonly end: UploadEnd

  constructor(failure: RegistryError, end: UploadEnd) {
    super('the upload is lost', { cause: failure })
    this.failure = failure
    this.end = end
  }

  /** The error of the answer that ended the upload. */
  get first(): RegistryError {
    return this.failure.cause instanceof RegistryError ? this.failure.cause : this.failure
  }
}

async function sendPiece(upload: PieceUpload, end: number): Promise<void> {
  const { endpoint, offset, source, descriptor, sent } = upload
  // The last piece reads to the end of the source, so that a source that is too long is detected.
  const to = end === descriptor.size ? undefined : end
  const answer = await endpoint.send({
    method: 'PATCH',
    url: upload.location,
    scopes: [`repository:${upload.repository.repository}:pull,push`],
    // SPEC: the range has no unit, unlike in HTTP (distribution-spec, end-5).
    headers: { 'content-type': 'application/octet-stream', 'content-range': `${offset}-${end - 1}` },
    body: {
      size: end - offset,
      open: () => sent.count(source.read(offset, to)),
      openLent: source.canLend ? () => sent.count(source.read(offset, to, true)) : undefined,
    },
    // Some registries answer 201 here, although the blob exists only after the closing PUT.
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
 * Records that the registry accepted a piece. If the answer names another offset than expected, asks for the status of
 * the upload and uses that if it is possible. Registries differ: some name no range, some the range of the piece alone
 * (regclient/regclient#627, #961), some always `0-0`. Docker, skopeo and crane ignore the range; the digest at the
 * closing PUT is what counts.
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
  // SAFETY: a registry could accept a few bytes of each piece and have the rest sent again without end. Such a piece
  // counts as a failure in the retry budget.
  if (isPart && !isProgress) await upload.endpoint.waitAfter(why, upload.budget, upload.signal)
}

function askStatus(upload: PieceUpload, sent: number): Promise<UploadStatus | undefined> {
  const { endpoint, repository, location, budget, signal } = upload
  return uploadStatus(endpoint, repository, location, sent, { budget, signal })
}

async function recover(upload: PieceUpload, end: number, error: unknown): Promise<void> {
  if (!(error instanceof RegistryError)) throw error
  const { status } = error
  const failure = asTransient(error)
  if (status === 404 || status === 410) throw new LostUpload(failure, upload.offset === 0 ? 'lost at once' : 'lost')
  const unsupported = error.errors.some(({ code }) => code === 'UNSUPPORTED')
  if (unsupported || REFUSES_PIECES.includes(status ?? 0)) throw new LostUpload(failure, 'refused')
  // 409: another client is adding to the upload now. 416: another client has added to it.
  const moved = status === 409 || status === 416
  if (status === 413) {
    if (!upload.shrink(end - upload.offset)) throw error
  } else await upload.endpoint.waitAfter(moved ? failure : error, upload.budget, upload.signal)
  await resumeAtHeldOffset(upload, end, failure)
}

/** Statuses of registries that do not accept pieces, or not this one. */
const REFUSES_PIECES: readonly number[] = [400, 405, 406, 411, 415, 501]

/**
 * Resumes after a failure at the offset that the registry reports: only the registry knows how much of the piece it
 * has.
 */
async function resumeAtHeldOffset(upload: PieceUpload, sent: number, why: RegistryError): Promise<void> {
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
    // The answer to an earlier try may have been lost after the registry closed the upload: check whether the blob
    // exists.
    const gone = error.status === 404 || error.status === 410
    if (gone && (await blobExists(upload))) return
    // After a contradictory offset the assembled bytes may be wrong although the blob is right.
    const isWrong = error.status === 400 || error.status === 416
    if (upload.isDoubtful && isWrong) throw new LostUpload(asTransient(error), 'refused')
    if (gone || error.status === 416 || error.status === 409) throw new LostUpload(asTransient(error), 'lost')
    throw error
  }
}

async function blobExists({ endpoint, repository, descriptor, signal }: PieceUpload): Promise<boolean> {
  try {
    return (await statBlob(endpoint, repository, descriptor.digest, signal))?.size === descriptor.size
  } catch (error) {
    // The caller reports the failure of the closing request instead.
    if (error instanceof RegistryError) return false
    throw error
  }
}

function rangeError(answer: WireAnswer, end: number): RegistryError {
  const said = cleanText(answer.headers.range)
  const details = { method: 'PATCH', url: shownUrl(answer.url), status: answer.status, retryable: true }
  return new RegistryError('ERR_PROTOCOL', `registry says that the upload holds ${said}, not 0-${end - 1}`, details)
}

/** Makes the error of a session that the registry lost or advanced retryable: another try may succeed. */
function asTransient(error: RegistryError): RegistryError {
  const details: RegistryErrorDetails = { ...error, retryable: true }
  return new RegistryError('ERR_REGISTRY', 'registry lost the upload', details, { cause: error })
}
