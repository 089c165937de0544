import {
  createStreamDigester,
  type DigestAlgorithm,
  type HasherEngine,
  isDigest,
  restoreStreamDigester,
  type StreamDigester,
  splitDigest,
} from '../../digest/index.ts'
import type { IngestOptions, IngestWriterParts } from '../../store/index.ts'
import type { ObjectContext } from '../object-context.ts'
import { blobKey } from '../objects/keys.ts'
import { readObject } from '../objects/read-object.ts'
import type { UploadPart } from '../s3/bucket.ts'
import { BucketSink } from './bucket-sink.ts'
import { type HeldIngest, holdIngest } from './held-ingest.ts'
import type { UploadState } from './ingest-record.ts'
import { PartUpload } from './part-upload.ts'

interface Hashing {
  readonly algorithm: DigestAlgorithm
  readonly hasher: HasherEngine
}

/** Destination of an upload. */
interface Target {
  readonly key: string
  /** Bytes of the whole blob, if they are known. */
  readonly size: number | undefined
}

/** Opens the ingest of a key among all processes, and resumes an earlier writer. */
export async function openObjectIngest(
  context: ObjectContext,
  key: string,
  options: IngestOptions,
): Promise<Omit<IngestWriterParts, 'onClosed'>> {
  const hashing: Hashing = {
    algorithm: options.algorithm ?? 'sha256',
    // Parts cannot be read back, so only a hasher whose state can be saved lets another process go on (O12).
    hasher: options.hasher ?? 'wasm',
  }
  const held = await holdIngest(context, key, options)
  try {
    const target: Target = { key: targetOf(key, hashing.algorithm, held.keys.data), size: options.size }
    const resumed = held.state && (await resume(context, held, held.state, hashing, target))
    if (resumed) return resumed
    if (held.state) await discard(context, held, held.state)
    const upload = new PartUpload(context, target.key, { size: target.size })
    const { algorithm } = hashing
    const sink = new BucketSink(context, { upload, target: target.key, algorithm, held, offset: 0 })
    return { ...hashing, sink, digester: await createStreamDigester(hashing) }
  } catch (error) {
    await held.release().catch(() => undefined)
    throw error
  }
}

/** The parts go to the key of the blob if its digest is known: then no copy is needed. */
function targetOf(key: string, algorithm: DigestAlgorithm, data: string): string {
  return isDigest(key) && splitDigest(key).algorithm === algorithm ? blobKey(key) : data
}

/** Continues an earlier writer; `undefined` if its bytes are gone or cannot be hashed on. */
async function resume(
  context: ObjectContext,
  held: HeldIngest,
  state: UploadState,
  hashing: Hashing,
  target: Target,
): Promise<Omit<IngestWriterParts, 'onClosed'> | undefined> {
  if (state.parts > 0 && state.target !== target.key) return undefined
  const tail = await tailOf(context, held, state)
  const parts = tail && (await partsOf(context, state))
  const digester = parts && (await digesterOf(state, tail, hashing))
  if (!digester) return undefined
  const resumed = parts.length > 0 ? { uploadId: state.uploadId ?? '', parts } : undefined
  const upload = new PartUpload(context, target.key, { size: target.size, resumed })
  await upload.append(tail)
  const { algorithm } = hashing
  const sink = new BucketSink(context, { upload, target: target.key, algorithm, held, offset: state.offset })
  // A restored state is one of the WASM hasher; with the native one the bytes of the parts would be lost.
  return { algorithm, hasher: parts.length > 0 ? 'wasm' : hashing.hasher, sink, digester }
}

async function tailOf(
  { bucket }: ObjectContext,
  { keys }: HeldIngest,
  state: UploadState,
): Promise<Buffer | undefined> {
  const size = state.offset - state.partBytes
  if (size === 0) return Buffer.alloc(0)
  const found = await readObject(bucket, keys.tail(state.offset), size)
  return found?.bytes?.byteLength === size ? found.bytes : undefined
}

/** The parts that the state counts; `undefined` if one is gone or another one. */
async function partsOf({ bucket }: ObjectContext, state: UploadState): Promise<readonly UploadPart[] | undefined> {
  const parts: UploadPart[] = []
  if (state.uploadId === null) return parts
  try {
    for await (const part of bucket.listParts(state.target, state.uploadId)) {
      if (parts.length < state.parts && part.number === parts.length + 1) parts.push(part)
    }
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_BUCKET_UPLOAD_NOT_FOUND') return undefined
    throw error
  }
  const bytes = parts.reduce((sum, part) => sum + part.size, 0)
  return parts.length === state.parts && bytes === state.partBytes ? parts : undefined
}

async function digesterOf(state: UploadState, tail: Buffer, hashing: Hashing): Promise<StreamDigester | undefined> {
  const isSame = state.algorithm === hashing.algorithm
  const useCheckpoint = state.checkpoint && isSame && (hashing.hasher === 'wasm' || state.parts > 0)
  if (useCheckpoint) return restoreStreamDigester(state.checkpoint).catch(() => undefined)
  // Parts of an unfinished upload cannot be read back.
  if (state.parts > 0) return undefined
  const digester = await createStreamDigester(hashing)
  await digester.update(tail)
  return digester
}

/** Removes what an earlier writer left. */
async function discard({ bucket }: ObjectContext, held: HeldIngest, state: UploadState): Promise<void> {
  if (state.uploadId !== null) await bucket.abortUpload(state.target, state.uploadId)
  await held.save(null)
  await bucket.delete(held.keys.tail(state.offset))
}
