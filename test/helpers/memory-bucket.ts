import { createHash, randomUUID } from 'node:crypto'
import { BucketError } from '../../lib/errors/index.ts'
import type { Bucket, ListOptions, ObjectBody, ObjectFacts, PutResult } from '../../lib/object-store/index.ts'

interface MemoryObject {
  bytes: Buffer
  etag: string
  modified: number
}

interface MemoryUpload {
  readonly key: string
  readonly started: number
  readonly parts: Map<number, { bytes: Buffer; etag: string }>
}

/** The objects of a bucket in memory, which any number of {@link memoryBucket}s share. */
export class MemoryObjects {
  readonly objects = new Map<string, MemoryObject>()
  readonly uploads = new Map<string, MemoryUpload>()
  /** Names and keys of all calls, such as `put blobs/sha256/…`. */
  readonly calls: string[] = []
  /** Called before each call; what it throws is the answer. */
  before: (call: string, key: string) => void | Promise<void> = () => {}
  /** Called after each call that changes something; what it throws is the answer, although the change was made. */
  after: (call: string, key: string) => void | Promise<void> = () => {}
  /** Added to the clock of the service. */
  offsetMs = 0
  /** Keys that bulk deletes leave, with an error for each. */
  readonly locked = new Set<string>()

  now(): number {
    return Date.now() + this.offsetMs
  }

  /** Makes all objects and uploads older. */
  age(ms: number): void {
    for (const object of this.objects.values()) object.modified -= ms
    for (const [id, upload] of this.uploads) this.uploads.set(id, { ...upload, started: upload.started - ms })
  }

  text(key: string): string | undefined {
    return this.objects.get(key)?.bytes.toString('utf8')
  }

  write(key: string, text: string | Uint8Array): void {
    const bytes = Buffer.from(text as string)
    this.objects.set(key, { bytes, etag: etagOf(bytes), modified: seconds(this.now()) })
  }

  keys(prefix = ''): string[] {
    return [...this.objects.keys()].filter(key => key.startsWith(prefix)).sort()
  }
}

/** As S3: the MD5 of small objects; of large ones something else. */
function etagOf(bytes: Uint8Array): string {
  if (bytes.byteLength > 1024 * 1024) return `"${randomUUID()}"`
  return `"${createHash('md5').update(bytes).digest('hex')}"`
}
const seconds = (ms: number) => Math.floor(ms / 1000) * 1000

/** A bucket in memory, with the dates of whole seconds that S3 has. */
export function memoryBucket(
  shared: MemoryObjects = new MemoryObjects(),
  /** Called as those of all buckets, but for this one only. */
  own: { before?: () => void; after?: () => void } = {},
): Bucket {
  const { objects, uploads } = shared
  const factsOf = (key: string, { bytes, etag, modified }: MemoryObject): ObjectFacts => ({
    key,
    size: bytes.byteLength,
    etag,
    modified,
    serverTime: seconds(shared.now()),
  })
  const begin = async (call: string, key: string, signal?: AbortSignal) => {
    signal?.throwIfAborted()
    shared.calls.push(`${call} ${key}`)
    await shared.before(call, key)
    own.before?.()
    // Answers arrive later than in the same tick.
    await new Promise(setImmediate)
    signal?.throwIfAborted()
  }
  const end = async (call: string, key: string) => {
    await shared.after(call, key)
    own.after?.()
  }
  const store = (key: string, bytes: Buffer): PutResult => {
    const etag = etagOf(bytes)
    objects.set(key, { bytes, etag, modified: seconds(shared.now()) })
    return { stored: true, etag, serverTime: seconds(shared.now()) }
  }
  const uploadOf = (key: string, id: string) => {
    const upload = uploads.get(id)
    if (upload?.key === key) return upload
    throw new BucketError('ERR_BUCKET_UPLOAD_NOT_FOUND', 'there is no such upload')
  }
  return {
    address: 's3://memory',
    conditions: async () => ({ ifNoneMatch: true, ifMatch: true }),
    async head(key, options) {
      await begin('head', key, options?.signal)
      const object = objects.get(key)
      return object && factsOf(key, object)
    },
    async get(key, options = {}) {
      await begin('get', key, options.signal)
      const object = objects.get(key)
      if (!object) return undefined
      if (options.ifMatch !== undefined && options.ifMatch !== object.etag) {
        throw new BucketError('ERR_BUCKET_OBJECT_CHANGED', 'the object is another version now')
      }
      const { offset = 0, length = object.bytes.byteLength } = options.range ?? {}
      if (options.range && offset >= object.bytes.byteLength) {
        throw new BucketError('ERR_BUCKET', 'behind the end', { method: 'GET', url: key, status: 416 })
      }
      return { facts: factsOf(key, object), body: piecesOf(object.bytes.subarray(offset, offset + length)) }
    },
    async put(key, body, options = {}) {
      await begin('put', key, options.signal)
      const bytes = await bytesOf(body)
      const existing = objects.get(key)
      const isMet = options.ifNoneMatch
        ? !existing
        : options.ifMatch === undefined || existing?.etag === options.ifMatch
      if (!isMet) return { stored: false, existing: existing && factsOf(key, existing), uncertain: false }
      const result = store(key, bytes)
      await end('put', key)
      return result
    },
    async delete(key, options) {
      await begin('delete', key, options?.signal)
      objects.delete(key)
      await end('delete', key)
    },
    async deleteMany(keys, options) {
      const all: string[] = []
      for await (const key of keys) all.push(key)
      for (let i = 0; i < all.length; i += 1000) {
        await begin('deleteMany', String(Math.min(1000, all.length - i)), options?.signal)
        for (const key of all.slice(i, i + 1000)) if (!shared.locked.has(key)) objects.delete(key)
        await end('deleteMany', '')
      }
      return all.filter(key => shared.locked.has(key)).map(key => ({ key, code: 'AccessDenied', message: 'locked' }))
    },
    async *list(prefix: string, options: ListOptions = {}) {
      let { after = '' } = options
      for (;;) {
        await begin('list', prefix, options.signal)
        const page = shared
          .keys(prefix)
          .filter(key => key > after)
          .slice(0, options.pageSize ?? 1000)
        for (const key of page) {
          const object = objects.get(key)
          if (object) yield factsOf(key, object)
        }
        if (page.length === 0) return
        after = page.at(-1) as string
      }
    },
    async *listFolders(prefix) {
      await begin('listFolders', prefix)
      const folders = shared.keys(prefix).map(key => key.slice(0, key.indexOf('/', prefix.length) + 1))
      yield* new Set(folders.filter(folder => folder.length > prefix.length))
    },
    async startUpload(key, options) {
      await begin('startUpload', key, options?.signal)
      const id = randomUUID()
      uploads.set(id, { key, started: shared.now(), parts: new Map() })
      await end('startUpload', key)
      return id
    },
    async putPart(key, id, number, bytes, options) {
      await begin('putPart', `${key} ${number}`, options?.signal)
      const etag = etagOf(bytes)
      uploadOf(key, id).parts.set(number, { bytes: Buffer.from(bytes), etag })
      await end('putPart', key)
      return etag
    },
    async completeUpload(key, id, parts) {
      await begin('completeUpload', key)
      const upload = uploadOf(key, id)
      const chosen = parts.map(({ number, etag }, i) => {
        const part = upload.parts.get(number)
        if (part?.etag !== etag) throw new BucketError('ERR_BUCKET', 'InvalidPart')
        const isShort = i < parts.length - 1 && part.bytes.byteLength < 5 * 1024 * 1024
        if (isShort) throw new BucketError('ERR_BUCKET', 'EntityTooSmall')
        return part.bytes
      })
      uploads.delete(id)
      const result = store(key, Buffer.concat(chosen))
      await end('completeUpload', key)
      return result
    },
    async abortUpload(key, id) {
      await begin('abortUpload', key)
      uploads.delete(id)
      await end('abortUpload', key)
    },
    async *listUploads(prefix, options) {
      await begin('listUploads', prefix, options?.signal)
      for (const [uploadId, { key, started }] of uploads) {
        if (key.startsWith(prefix)) yield { key, uploadId, started, serverTime: shared.now() }
      }
    },
    async *listParts(key, id, options) {
      await begin('listParts', key, options?.signal)
      for (const [number, { bytes, etag }] of [...uploadOf(key, id).parts].sort(([a], [b]) => a - b)) {
        yield { number, etag, size: bytes.byteLength }
      }
    },
    async copy(from, to, options) {
      await begin('copy', to, options?.signal)
      const object = objects.get(from)
      if (object) store(to, object.bytes)
      await end('copy', to)
      return object !== undefined
    },
    presign: async key => `https://memory/${key}`,
    close() {},
  }
}

async function bytesOf(body: Uint8Array | ObjectBody): Promise<Buffer> {
  if (body instanceof Uint8Array) return Buffer.from(body)
  const chunks: Uint8Array[] = []
  for await (const chunk of body.open()) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function* piecesOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 65_536) {
    await new Promise(setImmediate)
    yield Uint8Array.from(bytes.subarray(at, at + 65_536))
  }
}
