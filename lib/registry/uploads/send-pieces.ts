import { RegistryError, type RegistryErrorDetails } from '../../errors/index.ts'
import type { Descriptor, Repository } from '../../spec/index.ts'
import { shownUrl } from '../addresses/shown-url.ts'
import { drainAnswer } from '../answers/drain-answer.ts'
import { SUCCESS } from '../answers/success.ts'
import { statBlob } from '../blobs/stat-blob.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import type { RetryBudget } from '../endpoint/retry-budget.ts'
import type { WireAnswer } from '../transport/transport.ts'
import type { PieceSource } from './piece-source.ts'
import { putBlob } from './put-blob.ts'
import { uploadedBytes } from './upload-range.ts'
import type { UploadSlot } from './upload-state.ts'
import { uploadStatus } from './upload-status.ts'

/** An upload that goes on piece by piece. */
export interface PieceUpload {
  readonly endpoint: RegistryEndpoint
  readonly repository: Repository
  readonly descriptor: Descriptor
  readonly source: PieceSource
  readonly slot: UploadSlot | undefined
  readonly budget: RetryBudget
  readonly signal: AbortSignal | undefined
  /** How large the next piece may be. */
  pieceBytes(): number
  /** The registry has refused so many bytes as too large. `false` if nothing smaller makes sense. */
  shrink(refused: number): boolean
  /** The registry holds so many bytes. */
  reached(offset: number): void
  location: URL
  /** Bytes that the registry holds. */
  offset: number
  /** The registry contradicted itself, or us, on how far the upload is. */
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
      upload.reached(upload.offset)
    } catch (error) {
      await recover(upload, end, error)
    }
    await upload.slot?.save(upload.location, upload.offset)
  }
  await close(upload)
}

/** Tells that an upload cannot go on, but the blob may be sent in another one. */
export class LostUpload extends Error {
  readonly failure: RegistryError
  /** Pieces are not understood: send the blob whole. */
  readonly inOnePiece: boolean

  constructor(failure: RegistryError, inOnePiece: boolean) {
    super('the upload is lost', { cause: failure })
    this.failure = failure
    this.inOnePiece = inOnePiece
  }
}

async function sendPiece(upload: PieceUpload, end: number): Promise<void> {
  const { endpoint, offset, source, descriptor } = upload
  const answer = await endpoint.send({
    method: 'PATCH',
    url: upload.location,
    scopes: [`repository:${upload.repository.repository}:pull,push`],
    // SPEC: without the unit that HTTP would put before it (distribution-spec, end-5).
    headers: { 'content-type': 'application/octet-stream', 'content-range': `${offset}-${end - 1}` },
    // The last piece is read to the end of the source, so that a source that is too long is noticed.
    body: { size: end - offset, open: () => source.read(offset, end === descriptor.size ? undefined : end) },
    // Some registries answer 201 as if the blob were there already; it is not before the closing PUT.
    expect: SUCCESS,
    once: true,
    signal: upload.signal,
  })
  await drainAnswer(answer)
  const { location, range } = answer.headers
  const asked = { method: 'PATCH', url: answer.url }
  if (location) upload.location = endpoint.policy.follow(location, asked, 'upload location')
  if (uploadedBytes(range, end) === end) upload.offset = end
  else await askHowFar(upload, end, rangeError(answer, range))
}

/** The registry decides where the upload is, not we: it is asked, and believed if that is possible at all. */
async function askHowFar(upload: PieceUpload, sent: number, why: RegistryError): Promise<void> {
  const { endpoint, repository, location, budget, signal } = upload
  const status = await uploadStatus(endpoint, repository, location, sent, { budget, signal })
  if (status?.held === undefined || status.held > sent) throw new LostUpload(why, status !== undefined)
  if (status.held !== sent) upload.isDoubtful = true
  upload.location = status.location
  upload.offset = status.held
}

async function recover(upload: PieceUpload, end: number, error: unknown): Promise<void> {
  if (!(error instanceof RegistryError)) throw error
  const { status } = error
  const failure = passing(error)
  if (status === 404 || status === 410) throw new LostUpload(failure, false)
  const unsupported = error.errors.some(({ code }) => code === 'UNSUPPORTED')
  if (status === 405 || status === 501 || unsupported) throw new LostUpload(failure, true)
  // 409: somebody else is adding to it at this moment; 416: somebody has.
  const moved = status === 409 || status === 416
  if (status === 413) {
    if (!upload.shrink(end - upload.offset)) throw error
  } else await upload.endpoint.waitAfter(moved ? failure : error, upload.budget, upload.signal)
  await askHowFar(upload, end, failure)
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
    if (gone && (await statBlob(endpoint, repository, descriptor.digest, signal))?.size === descriptor.size) return
    if (gone || error.status === 416 || error.status === 409) throw new LostUpload(passing(error), false)
    // What was put together after a contradiction may be wrong where the blob is not.
    if (upload.isDoubtful && error.status === 400) throw new LostUpload(passing(error), true)
    throw error
  }
}

function rangeError(answer: WireAnswer, range: string | undefined): RegistryError {
  const said = range === undefined ? 'does not say how far the upload is' : 'puts the upload at an unexpected place'
  const details = { method: 'PATCH', url: shownUrl(answer.url), status: answer.status, retryable: true }
  return new RegistryError('ERR_PROTOCOL', `registry ${said}`, details)
}

/** A session that the registry has lost or moved on in is no fault of the blob: another try may do. */
function passing(error: RegistryError): RegistryError {
  const details: RegistryErrorDetails = { ...error, retryable: true }
  return new RegistryError('ERR_REGISTRY', 'registry lost the upload', details, { cause: error })
}
