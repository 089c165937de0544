import { isDigest } from '../../digest/index.ts'
import type { WireError } from '../../errors/index.ts'
import type { WireAnswer } from '../transport/transport.ts'
import { readAnswerDocument } from './content-coding.ts'

const KEPT_BYTES = 64 * 1024
const KEPT_ERRORS = 8
const KEPT_CHARACTERS = 512

/**
 * Reads the errors in the body of a refusal; an empty list if the body has none. Never throws: the caller reports the
 * refusal itself.
 *
 * @see {@link https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes | error codes}
 */
export async function readWireErrors(answer: WireAnswer): Promise<readonly WireError[]> {
  try {
    const bytes = await readAnswerDocument(answer, KEPT_BYTES, 'refusal')
    return errorsIn(JSON.parse(Buffer.from(bytes).toString('utf8')))
  } catch {
    return []
  }
}

function errorsIn(document: unknown): readonly WireError[] {
  const errors = (document as { errors?: unknown } | null)?.errors
  if (!Array.isArray(errors)) return []
  return errors.slice(0, KEPT_ERRORS).map((error: { code?: unknown; message?: unknown; detail?: unknown } | null) => ({
    code: cleanText(error?.code) || 'UNKNOWN',
    message: cleanText(error?.message),
    ...digestIn(error?.detail),
  }))
}

/** Registries send the digest as the `detail` itself or as its member `digest` or `Digest`. */
function digestIn(detail: unknown): { digest?: string } {
  const { digest, Digest } = (typeof detail === 'object' && detail !== null ? detail : { digest: detail }) as {
    digest?: unknown
    Digest?: unknown
  }
  const found = digest ?? Digest
  return isDigest(found) ? { digest: found } : {}
}

/**
 * Cleans text of a registry for display.
 *
 * SAFETY: control and format characters could rewrite a terminal or a log, so they are removed.
 */
export function cleanText(text: unknown): string {
  if (typeof text !== 'string') return ''
  return text.slice(0, KEPT_CHARACTERS).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
}
