import { randomBytes } from 'node:crypto'
import { FormatError, StoreError } from '../../errors/index.ts'
import { type Descriptor, parseDescriptor } from '../../oci/index.ts'
import type { NamedDescriptor } from '../../store/index.ts'
import { Keys } from '../objects/keys.ts'
import { jsonBytes, jsonIn, type SmallObject } from '../objects/read-object.ts'

/** SAFETY: limits the bytes read into memory; another program may write a larger object. */
export const MOST_REFERENCE_BYTES: number = 1024 * 1024

/** Changes before the last one that a name remembers: another process may make as many while one asks for its own. */
const MOST_CHANGES = 16

/** Makes the random name of a change. It makes each change another version, also back to an earlier image. */
export function newChange(): string {
  return randomBytes(9).toString('base64')
}

/**
 * The bytes of the object of a name.
 *
 * @param before - Changes of the version that this one replaces; none if that was not read.
 */
export function referenceBytes(
  name: string,
  descriptor: Descriptor,
  change: string = newChange(),
  before: readonly string[] = [],
): Buffer {
  return jsonBytes({ version: 1, name, descriptor, change, before: before.slice(0, MOST_CHANGES) })
}

/** The changes that made a version of a name, the last one first. */
export function changesIn({ bytes }: SmallObject): readonly string[] {
  const { change, before } = jsonIn(bytes) ?? {}
  const all = [change, ...(Array.isArray(before) ? (before as unknown[]) : [])]
  return all.filter((one): one is string => typeof one === 'string')
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
