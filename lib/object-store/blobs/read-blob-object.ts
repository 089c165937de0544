import { LRUCache } from 'lru-cache'
import type { Digest } from '../../digest/index.ts'
import { BlobCorruptError, BlobNotFoundError } from '../../errors/index.ts'
import type { ReadBlobOptions, ReadRange } from '../../store/index.ts'
import { checkRange, rangeOf, verifyStored } from '../../store/index.ts'
import type { ObjectContext } from '../object-context.ts'
import { blobKey } from '../objects/keys.ts'
import type { ObjectAnswer, ObjectFacts } from '../s3/bucket.ts'
import { quarantineBlobObject } from './quarantine-object.ts'
import { readRanges } from './read-ranges.ts'

/** Remembers which objects were read and verified; a changed one is verified again. */
export class VerifiedObjects {
  readonly #seen = new LRUCache<Digest, string>({ max: 10_000 })

  has(digest: Digest, facts: ObjectFacts): boolean {
    return this.#seen.get(digest) === identityOf(facts)
  }

  add(digest: Digest, facts: ObjectFacts): void {
    this.#seen.set(digest, identityOf(facts))
  }
}

function identityOf({ etag, size, modified }: ObjectFacts): string {
  return `${etag} ${size} ${modified}`
}

/** Reads a blob; a read of the whole blob is verified as the policy says. */
export async function* readBlobObject(
  context: ObjectContext,
  verified: VerifiedObjects,
  digest: Digest,
  options: ReadBlobOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  options.signal?.throwIfAborted()
  checkRange(options)
  const opened = await open(context, digest, options)
  const { facts, range } = opened
  if (range.start === range.end && !range.whole) return
  const bytes = bytesOf(context, digest, opened, options)
  const policy = options.verify ?? context.settings.verify
  const isKnown = policy === 'never' || (policy === 'once-per-process' && verified.has(digest, facts))
  if (!range.whole || isKnown) return yield* bytes
  try {
    yield* verifyStored(bytes, { digest, size: facts.size }, context.settings.hasher)
    verified.add(digest, facts)
  } catch (error) {
    throw await afterCorruption(context, error, facts, options)
  }
}

interface OpenedBlob {
  readonly facts: ObjectFacts
  readonly range: ReadRange
  /** The answer to a request of the first bytes, if one was made. */
  readonly first: ObjectAnswer | undefined
}

/** PERF: one request for a small blob; the facts in its answer tell whether more are needed. */
async function open(context: ObjectContext, digest: Digest, options: ReadBlobOptions): Promise<OpenedBlob> {
  const { bucket, settings } = context
  const key = blobKey(digest)
  if ((options.offset ?? 0) > 0 || options.length !== undefined) {
    const facts = await bucket.head(key, options)
    if (!facts) throw new BlobNotFoundError(digest)
    return { facts, range: rangeOf(options, facts.size), first: undefined }
  }
  const range = { offset: 0, length: settings.partSize }
  const first = await bucket.get(key, { range, signal: options.signal }).catch(error => {
    // SPEC: RFC 9110, 15.5.17: an empty object has no byte that a range could begin with.
    if ((error as { status?: unknown }).status === 416) return bucket.get(key, { signal: options.signal })
    throw error
  })
  if (!first) throw new BlobNotFoundError(digest)
  return { facts: first.facts, range: rangeOf(options, first.facts.size), first }
}

function bytesOf(
  context: ObjectContext,
  digest: Digest,
  { facts, range, first }: OpenedBlob,
  { signal }: ReadBlobOptions,
): AsyncIterable<Uint8Array> {
  const { partSize, concurrency } = context.settings
  const get = async (offset: number, length: number, stop: AbortSignal) => {
    const part = { range: { offset, length }, ifMatch: facts.etag, signal: stop }
    const answer = await context.bucket.get(blobKey(digest), part)
    if (!answer) throw new BlobNotFoundError(digest)
    return answer.body
  }
  return readRanges({ range, partSize, concurrency, first: first?.body, get, signal })
}

async function afterCorruption(
  context: ObjectContext,
  error: unknown,
  facts: ObjectFacts,
  options: ReadBlobOptions,
): Promise<unknown> {
  const policy = options.onCorrupt ?? context.settings.onCorrupt
  if (!(error instanceof BlobCorruptError) || policy === 'report' || context.settings.readOnly) return error
  const { digest, expected, actual } = error
  const quarantinedTo = await quarantineBlobObject(context, digest as Digest, facts.etag).catch(() => undefined)
  if (quarantinedTo === undefined) return error
  return new BlobCorruptError({ digest, expected, actual, quarantinedTo }, { cause: error.cause })
}
