import type { Digest } from '../../../digest/index.ts'
import {
  BlobCorruptError,
  BlobNotFoundError,
  DigestMismatchError,
  FormatError,
  LimitError,
  SizeMismatchError,
} from '../../../errors/index.ts'
import type { AbortOptions } from '../../../internal/abort.ts'
import { type Descriptor, parseImageDocument, referrerEntry, subjectOf } from '../../../oci/index.ts'
import { listDocuments, readDocument, type StoreDriver } from '../../../store/index.ts'

type Listed = Pick<StoreDriver, 'list' | 'documents' | 'read' | 'stat'>

const BRACE = '{'.charCodeAt(0)
/**
 * Errors that mean "not a document": a config or layer may be JSON too, and a blob may be damaged or deleted since it
 * was listed.
 */
const NO_DOCUMENT = [
  FormatError,
  LimitError,
  SizeMismatchError,
  DigestMismatchError,
  BlobCorruptError,
  BlobNotFoundError,
]

/**
 * Yields the manifests of a store that name another manifest as their `subject`. A store keeps no list of them, so the
 * function reads every blob that may be a document. The entries have the members that the list
 * of a registry has.
 */
export async function* storedReferrers(
  store: Listed,
  subject: Digest,
  options: AbortOptions = {},
): AsyncGenerator<Descriptor, void, undefined> {
  for await (const { digest, size } of listDocuments(store, options)) {
    const descriptor = await referrerIn(store, { mediaType: '', digest, size }, subject, options)
    if (descriptor) yield descriptor
  }
}

async function beginsWithBrace(store: Listed, digest: Digest, { signal }: AbortOptions): Promise<boolean> {
  for await (const chunk of store.read(digest, { length: 1, signal })) return chunk[0] === BRACE
  return false
}

async function referrerIn(
  store: Listed,
  blob: Descriptor,
  subject: Digest,
  options: AbortOptions,
): Promise<Descriptor | undefined> {
  try {
    if (!(await beginsWithBrace(store, blob.digest, options))) return undefined
    const document = parseImageDocument(await readDocument(store, blob, options))
    if (subjectOf(document)?.digest !== subject) return undefined
    return referrerEntry({ ...blob, mediaType: document.mediaType }, document)
  } catch (error) {
    if (!NO_DOCUMENT.some(kind => error instanceof kind)) throw error
    return undefined
  }
}
