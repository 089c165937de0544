import type { Digest } from '../../../digest/index.ts'
import { parseStrictJson } from '../../../internal/strict-json.ts'

/** The value of `critical.type`: SPEC: readers refuse any other. */
const TYPE = 'cosign container image signature'

/** Statement of a payload of simple signing. */
export interface SimpleSigning {
  /** The signed image. */
  readonly digest: string
  /** The name under which it was signed: a repository (cosign), or a full reference (skopeo, podman). */
  readonly name: string
}

/**
 * Writes the payload that is signed.
 *
 * @see
 * {@link https://github.com/containers/image/blob/main/docs/containers-signature.5.md | containers-signature(5)}
 */
export function formatSimpleSigning(
  { digest, name }: { digest: Digest; name: string },
  annotations?: Readonly<Record<string, string>>,
): Uint8Array {
  const optional = annotations && Object.keys(annotations).length > 0 ? annotations : null
  const critical = { identity: { 'docker-reference': name }, image: { 'docker-manifest-digest': digest }, type: TYPE }
  return Buffer.from(JSON.stringify({ critical, optional }))
}

/**
 * Reads a payload. The caller has verified its signature.
 *
 * @returns a text that says what is wrong, if it is malformed.
 */
export function parseSimpleSigning(payload: Uint8Array): SimpleSigning | string {
  let document: unknown
  try {
    document = parseStrictJson(payload)
  } catch {
    return 'its payload is not JSON'
  }
  const critical = member(document, 'critical')
  const digest = member(member(critical, 'image'), 'docker-manifest-digest')
  const name = member(member(critical, 'identity'), 'docker-reference')
  if (member(critical, 'type') !== TYPE) return 'its payload is no signature of an image'
  // SAFETY: containers/image refuses unknown critical members, because they may limit what was signed.
  const isWhole =
    critical instanceof Object && Object.keys(critical).every(key => ['identity', 'image', 'type'].includes(key))
  if (!isWhole) return 'its payload has critical members that are unknown'
  if (typeof digest !== 'string' || typeof name !== 'string') return 'its payload names no image'
  return { digest, name }
}

function member(value: unknown, key: string): unknown {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined
}
