import { type Digest, splitDigest } from '../../../digest/index.ts'
import { parseStrictJson } from '../../../internal/strict-json.ts'
import { SIGN_PREDICATE } from './media-types.ts'

/** An in-toto statement: claims about artifacts that are named by their digests. */
export interface Statement {
  /** Kind of the claims, a URI. */
  readonly predicateType: string
  /** The artifacts. */
  readonly subject: readonly StatementSubject[]
  /** The claims. */
  readonly predicate: unknown
}

/** An artifact of a {@link Statement}. */
export interface StatementSubject {
  /** Name of the artifact, if it has one. */
  readonly name: string | undefined
  /** Digests of the artifact, as `algorithm:hex`. */
  readonly digests: readonly string[]
}

const VERSIONS = ['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1']

/**
 * Writes the statement that signs an image, as cosign 3 does; it also has the name of the repository.
 *
 * @see {@link https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md | in-toto: statement}
 */
export function formatSignStatement(
  { digest, name }: { digest: Digest; name: string },
  annotations: Readonly<Record<string, string>> = {},
): Uint8Array {
  const { algorithm, hex } = splitDigest(digest)
  const notes = Object.keys(annotations).length > 0 ? { annotations } : {}
  const subject = [{ name, digest: { [algorithm]: hex }, ...notes }]
  return Buffer.from(JSON.stringify({ _type: VERSIONS[0], subject, predicateType: SIGN_PREDICATE, predicate: {} }))
}

/**
 * Reads a statement. The caller has verified its signature.
 *
 * @returns a text that says what is wrong, if it is malformed.
 */
export function parseStatement(payload: Uint8Array): Statement | string {
  let document: Record<string, unknown>
  try {
    document = parseStrictJson(payload) as Record<string, unknown>
  } catch {
    return 'its payload is not JSON'
  }
  if (typeof document !== 'object' || document === null) return 'its payload is no statement'
  const { _type, subject, predicateType, predicate } = document
  if (!VERSIONS.includes(_type as string)) return 'its payload is no in-toto statement of version 0.1 or 1'
  if (typeof predicateType !== 'string') return 'its statement has no predicate type'
  if (!Array.isArray(subject) || subject.length > MOST_SUBJECTS) return 'its statement lists no subjects'
  return { predicateType, predicate, subject: subject.map(subjectOf) }
}

/** SAFETY: a statement may list many artifacts; one of an image lists one or two. */
const MOST_SUBJECTS = 1024

function subjectOf(value: unknown): StatementSubject {
  const { name, digest } = (value ?? {}) as { name?: unknown; digest?: unknown }
  const digests = typeof digest === 'object' && digest !== null ? Object.entries(digest) : []
  return {
    name: typeof name === 'string' ? name : undefined,
    digests: digests.map(([algorithm, hex]) => `${algorithm}:${hex}`),
  }
}
