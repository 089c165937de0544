import { randomBytes } from 'node:crypto'
import { FormatError, StoreError } from '../../errors/index.ts'
import { type Descriptor, parseDescriptor } from '../../oci/index.ts'
import type { NamedDescriptor } from '../../store/index.ts'
import { Keys } from '../objects/keys.ts'
import { jsonBytes, jsonIn, type SmallObject } from '../objects/read-object.ts'

/** SAFETY: limits the bytes read into memory; another program may write a larger object. */
export const MOST_REFERENCE_BYTES: number = 1024 * 1024

/** The bytes of the object of a name. Random bytes make each change another version, also back to an earlier image. */
export function referenceBytes(name: string, descriptor: Descriptor): Buffer {
  return jsonBytes({ version: 1, name, descriptor, change: randomBytes(9).toString('base64') })
}

/** The name in a key below `references/`. */
export function nameInKey(key: string): string {
  return key.slice(Keys.references.length)
}

/**
 * Parses the object of a name.
 *
 * @throws {@link StoreError} `ERR_STORE_FORMAT`: a name that counted as absent would let a collection remove its image.
 */
export function parseReferenceObject({ facts, bytes }: SmallObject): NamedDescriptor {
  const name = nameInKey(facts.key)
  const { version, name: stated, descriptor } = jsonIn(bytes) ?? {}
  try {
    if (version === 1 && stated === name) return { name, descriptor: parseDescriptor(descriptor) }
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause
    throw damaged(facts.key, cause)
  }
  throw damaged(facts.key)
}

function damaged(key: string, cause?: unknown): StoreError {
  const message = `${key} is damaged: the image that the name refers to is unknown; repair the store or set the name again`
  return new StoreError('ERR_STORE_FORMAT', message, { cause })
}
