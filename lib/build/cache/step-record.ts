import { type Digest, isDigest } from '../../digest/index.ts'
import { type Descriptor, parseDescriptor } from '../../oci/index.ts'
import type { KeyPart, KeySubject } from '../keys/key-part.ts'

/** A finished step: its dependencies and its layer. Plain JSON data. */
export interface StepRecord {
  /** Version of the format. */
  readonly version: 1
  /** The blobs that the record keeps from collections: the layer, and the list of what the step read. */
  readonly blobs: readonly Digest[]
  /** Content key. */
  readonly key: Digest
  /** Definition key, for steps that read a stage or an image: it is known without reading files. */
  readonly definition?: Digest | undefined
  /** Text of the step for users. */
  readonly title: string
  /** Parts of the key. */
  readonly parts: readonly KeyPart[]
  /** The stored layer. */
  readonly layer: Descriptor
  /** Digest of the uncompressed layer. */
  readonly diffId: Digest
  /** Time that the step took, in milliseconds. */
  readonly milliseconds: number
  /** Blob with the list of the files that the step read; explanations compare it. */
  readonly inputs?: Digest | undefined
}

/** Limits what a damaged or hostile record can hold. */
const MOST_PARTS = 10_000

const SUBJECTS: readonly KeySubject[] = ['file', 'variable', 'base', 'instruction', 'mount', 'policy']

/** Reads a record; `undefined` for bytes that are none. Records are derived data; an imported one may be any bytes. */
export function parseStepRecord(bytes: Uint8Array): StepRecord | undefined {
  try {
    return checkRecord(JSON.parse(Buffer.from(bytes).toString('utf8')))
  } catch {
    return undefined
  }
}

function checkRecord(value: Record<string, unknown>): StepRecord | undefined {
  const { version, key, definition, title, parts, layer, diffId, milliseconds, inputs } = value
  const whole =
    version === 1 &&
    isDigestText(key) &&
    (definition === undefined || isDigestText(definition)) &&
    typeof title === 'string' &&
    isParts(parts) &&
    isDigestText(diffId) &&
    typeof milliseconds === 'number' &&
    (inputs === undefined || isDigestText(inputs))
  if (!whole) return undefined
  const descriptor = parseDescriptor(layer)
  return {
    version: 1,
    blobs: [descriptor.digest, ...(inputs ? [inputs] : [])],
    key,
    ...(definition ? { definition } : {}),
    title,
    parts,
    layer: descriptor,
    diffId,
    milliseconds,
    ...(inputs ? { inputs } : {}),
  }
}

function isDigestText(value: unknown): value is Digest {
  return typeof value === 'string' && isDigest(value)
}

function isParts(value: unknown): value is KeyPart[] {
  return (
    Array.isArray(value) &&
    value.length <= MOST_PARTS &&
    value.every(
      part => SUBJECTS.includes(part?.what) && typeof part.name === 'string' && typeof part.value === 'string',
    )
  )
}
