import { type Digest, isDigest, splitDigest } from '../../digest/index.ts'

/** Keys and prefixes of the store's objects; README.md describes each. */
export const Keys = {
  format: 'layerstore.json',
  collection: 'collection.json',
  blobs: 'blobs/',
  references: 'references/',
  ingests: 'ingests/',
  leases: 'leases/',
  touched: 'touched/',
  documents: 'documents/',
  derived: 'derived/',
  quarantine: 'quarantine/',
  /** Objects by which the client finds out what the engine enforces. */
  probes: '.layerstore/probes/',
} as const

/** Key of a blob. */
export function blobKey(digest: Digest): string {
  return keyBelow(Keys.blobs, digest)
}

/** Key of the marker that records when a blob was last acknowledged. */
export function touchedKey(digest: Digest): string {
  return keyBelow(Keys.touched, digest)
}

/** Key of the mark of a blob that may be a manifest or an index. */
export function documentKey(digest: Digest): string {
  return keyBelow(Keys.documents, digest)
}

function keyBelow(prefix: string, digest: Digest): string {
  const { algorithm, hex } = splitDigest(digest)
  return `${prefix}${algorithm}/${hex}`
}

/** The digest in a key below `blobs/`, `touched/` or `documents/`; `undefined` for any other key. */
export function digestIn(key: string, prefix: string): Digest | undefined {
  const digest = key.slice(prefix.length).replace('/', ':')
  return key.startsWith(prefix) && isDigest(digest) ? digest : undefined
}

/** Key of a name. Names hold only characters that are safe in keys, at most 512 of them. */
export function referenceKey(name: string): string {
  return `${Keys.references}${name}`
}
