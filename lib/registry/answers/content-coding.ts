import type { DetectedCompression } from '../../compression/index.ts'
import { FormatError, LimitError, RegistryError } from '../../errors/index.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import { shownUrl } from '../addresses/shown-url.ts'
import type { WireAnswer } from '../transport/transport.ts'

const UNDONE = ['gzip', 'x-gzip', 'zstd']
const NOT_UNDONE = ['br', 'deflate', 'compress', 'x-compress']
const MOST_CODINGS = 2

/**
 * Returns the content codings of an answer, outermost last. Requests ask for none (`Accept-Encoding: identity`), but
 * some proxies compress anyway (moby#17595, moby#25122). Unknown names are ignored: S3 sends `aws-chunked` with objects
 * that were uploaded that way.
 */
export function codingsOf({ headers }: Pick<WireAnswer, 'headers'>): readonly string[] {
  const names = (headers['content-encoding'] ?? '').toLowerCase().split(',')
  return names.map(name => name.trim()).filter(name => UNDONE.includes(name) || NOT_UNDONE.includes(name))
}

/**
 * Reads the whole document of an answer and removes its content coding. A document that is not coded although the
 * header says so is returned unchanged.
 *
 * SAFETY: a small coded body may decode to any size (decompression bomb). The limit applies to the coded bytes and to
 * the decoded ones.
 *
 * @throws `LimitError`; `RegistryError` `ERR_PROTOCOL` for a coding that is unknown or damaged.
 */
export async function readAnswerDocument(answer: WireAnswer, limit: number, what: string): Promise<Uint8Array> {
  const codings = codingsOf(answer)
  if (codings.length === 0) return collectBytes(answer.body, limit, what)
  return collectBytes(undo(codings, answer, bounded(answer.body, limit, what)), limit, what)
}

/**
 * Removes the content coding of a blob whose answer names one and has another length than the blob. Registries that
 * keep layers in S3 may report the layer's own compression as a content coding; if the answer has no length, the media
 * type decides between the two.
 *
 * @param wire - The bytes as received.
 */
export async function* uncodedBlob(
  answer: WireAnswer,
  wire: AsyncIterable<Uint8Array>,
  mediaType: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { sniffCompression } = await import('../../compression/index.ts')
  const { type, content } = await sniffCompression(wire)
  const isOwn = answer.headers['content-length'] === undefined && type === compressionOf(mediaType)
  try {
    yield* type === 'none' || isOwn ? content : undo(codingsOf(answer), answer, content)
  } finally {
    await content.return()
  }
}

/** Compression that the media type of a layer declares. */
function compressionOf(mediaType: string): DetectedCompression {
  if (/[.+]gzip$/.test(mediaType)) return 'gzip'
  return /[.+]zstd$/.test(mediaType) ? 'zstd' : 'none'
}

async function* undo(codings: readonly string[], answer: WireAnswer, coded: AsyncIterable<Uint8Array>) {
  const unknown = codings.find(coding => NOT_UNDONE.includes(coding))
  if (unknown !== undefined || codings.length > MOST_CODINGS) {
    answer.cancel()
    const shown = unknown ?? codings.join(', ')
    throw codingError(answer, `content coding ${shown} was not asked for, and cannot be undone`)
  }
  // PERF: loaded for coded answers only.
  const { decompress } = await import('../../compression/index.ts')
  let bytes = coded
  for (const _ of codings) bytes = decompress(bytes)
  try {
    yield* bytes
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause
    throw codingError(answer, `content coding ${codings.join(', ')} is damaged`, { cause })
  }
}

async function* bounded(chunks: AsyncIterable<Uint8Array>, limit: number, what: string) {
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.byteLength
    if (bytes > limit) throw new LimitError(`${what}, coded,`, { limit, actual: bytes })
    yield chunk
  }
}

/** Retryable, since a body that broke off may be complete the next time. */
function codingError(answer: WireAnswer, message: string, options?: ErrorOptions): RegistryError {
  const details = { method: 'GET', url: shownUrl(answer.url), status: answer.status, retryable: options !== undefined }
  return new RegistryError('ERR_PROTOCOL', message, details, options)
}
