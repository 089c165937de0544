import { createHash } from 'node:crypto'
import type { StoredBlob } from '../../store/index.ts'
import { digestIn, Keys } from '../objects/keys.ts'
import type { ListedObject } from '../s3/bucket.ts'

/**
 * Time of a blob for collections: its date, or that of its marker if that is later.
 *
 * Dates have whole seconds; a collection must see a second acknowledgement within one. So the part below a second is
 * made of the version of the marker, which each acknowledgement changes.
 */
export function blobAge(blob: ListedObject, marker: ListedObject | undefined): number {
  const stored = wholeSeconds(blob.modified)
  if (!marker || wholeSeconds(marker.modified) < stored) return stored
  return wholeSeconds(marker.modified) + fractionOf(marker.etag)
}

/** Objects that belong to a blob. */
export interface BesideBlob {
  readonly marker: ListedObject | undefined
  readonly isDocument: boolean
}

/** A listed blob as collections see it; `undefined` for an object that is no blob. */
export function storedBlob(blob: ListedObject, { marker, isDocument }: BesideBlob): StoredBlob | undefined {
  const digest = digestIn(blob.key, Keys.blobs)
  return digest && { digest, size: blob.size, modifiedMs: blobAge(blob, marker), isDocument }
}

function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000
}

/** A number of milliseconds from 0 to 999, with thousandths: more would not fit into a date of today. */
export function fractionOf(etag: string): number {
  const word = createHash('sha256').update(etag).digest().readUInt32BE(0)
  return (word % 1_000_000) / 1000
}
