import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { refusalOf, type ServerKey } from './memory-s3-signature.ts'

interface StoredObject {
  readonly bytes: Buffer
  readonly etag: string
  readonly modified: number
  readonly headers: Record<string, string>
}

interface Upload {
  readonly key: string
  readonly started: number
  readonly headers: Record<string, string>
  readonly parts: Map<number, Buffer>
}

/** Settings of a {@link MemoryS3}; tests change them while it runs. */
export interface MemoryS3Settings {
  key: ServerKey
  region: string
  /** Milliseconds by which the clock of the server is ahead. */
  aheadMs: number
  /**
   * Conditions: enforced, enforced with ETags that have no quotes, enforced but for a missing object, accepted and
   * ignored, or refused.
   */
  conditions: 'enforced' | 'plain' | 'lenient' | 'ignored' | 'refused'
  /** Objects of a page. */
  pageSize: number
}

/** An S3 server that keeps one bucket in memory and refuses each request that is not as the protocol says. */
export interface MemoryS3 extends AsyncDisposable {
  readonly endpoint: string
  readonly bucket: string
  readonly settings: MemoryS3Settings
  readonly objects: Map<string, StoredObject>
  readonly uploads: Map<string, Upload>
  /** Method and path of each request, without values of queries. */
  readonly requests: string[]
  /** Key of each object that was stored, by a PUT, a copy or the end of a multipart upload. */
  readonly stored: string[]
}

const quoted = (bytes: Buffer) => `"${createHash('md5').update(bytes).digest('hex')}"`
const xmlOf = (text: string) => text.replace(/[&<>]/g, one => `&#${one.charCodeAt(0)};`)

class Refusal extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string) {
    super(code)
    this.status = status
    this.code = code
  }
}

const STATUS: Record<string, number> = { AuthorizationHeaderMalformed: 400, XAmzContentSHA256Mismatch: 400 }

/** Starts the server on a free port, for this machine only or at every address. */
export async function startMemoryS3(
  settings: Partial<MemoryS3Settings> = {},
  host: '127.0.0.1' | '0.0.0.0' = '127.0.0.1',
): Promise<MemoryS3> {
  const state = {
    bucket: 'bucket',
    settings: {
      key: { accessKeyId: 'AKTEST', secretAccessKey: 'secret' },
      region: 'us-east-1',
      aheadMs: 0,
      conditions: 'enforced',
      pageSize: 1000,
      ...settings,
    } as MemoryS3Settings,
    objects: new Map<string, StoredObject>(),
    uploads: new Map<string, Upload>(),
    requests: [] as string[],
    stored: [] as string[],
  }
  const server = createServer((request, response) => {
    void serve(state, request, response).catch(error => response.destroy(error))
  })
  await new Promise<void>(resolve => server.listen(0, host, resolve))
  const { port } = server.address() as AddressInfo
  const stop = async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
  return { ...state, endpoint: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: stop }
}

type State = Omit<MemoryS3, 'endpoint' | typeof Symbol.asyncDispose>

interface Call {
  readonly state: State
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly body: Buffer
  readonly key: string
  readonly query: URLSearchParams
  readonly now: number
}

async function serve(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const body = Buffer.concat(chunks)
  const now = Date.now() + state.settings.aheadMs
  response.setHeader('date', new Date(now).toUTCString())
  const [path = '', search = ''] = request.url!.split('?')
  const query = new URLSearchParams(search)
  const names = [...query.keys()].filter(name => !name.startsWith('X-Amz-')).map(name => `?${name}`)
  state.requests.push([request.method, path, ...names].join(' '))
  try {
    const refused = refusalOf(request, body, state.settings.key, state.settings.region, now)
    if (refused) throw new Refusal(STATUS[refused] ?? 403, refused)
    const [, bucket, ...rest] = path.split('/')
    if (bucket !== state.bucket) throw new Refusal(404, 'NoSuchBucket')
    await answer({ state, request, response, body, key: decodeURIComponent(rest.join('/')), query, now })
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    response.statusCode = error.status
    const region = error.code === 'AuthorizationHeaderMalformed' ? `<Region>${state.settings.region}</Region>` : ''
    const text = `<?xml version="1.0"?>\n<Error><Code>${error.code}</Code><Message>no &amp; no</Message>${region}</Error>`
    response.end(request.method === 'HEAD' ? undefined : text)
  }
}

async function answer(call: Call): Promise<void> {
  const { request, query, key } = call
  const { method } = request
  if (key === '') {
    if (method === 'GET' && query.has('list-type')) return list(call)
    if (method === 'GET' && query.has('uploads')) return listUploads(call)
    if (method === 'POST' && query.has('delete')) return deleteMany(call)
    throw new Refusal(405, 'MethodNotAllowed')
  }
  if (query.has('uploads') || query.has('uploadId')) return multipart(call)
  if (method === 'PUT') return put(call)
  if (method === 'DELETE') {
    call.state.objects.delete(key)
    return void call.response.writeHead(204).end()
  }
  return get(call)
}

function metadataOf({ headers }: IncomingMessage): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-') || name === 'content-type')
  return Object.fromEntries(kept) as Record<string, string>
}

function checkConditions({ state, request, key }: Call): void {
  const { 'if-none-match': ifNoneMatch, 'if-match': ifMatch } = request.headers
  const existing = state.objects.get(key)
  if (ifNoneMatch === undefined && ifMatch === undefined) return
  if (state.settings.conditions === 'refused') throw new Refusal(501, 'NotImplemented')
  if (state.settings.conditions === 'ignored') return
  if (ifNoneMatch !== undefined && existing) throw new Refusal(412, 'PreconditionFailed')
  if (ifMatch !== undefined && !existing && state.settings.conditions === 'lenient') return
  if (ifMatch !== undefined && !existing) throw new Refusal(404, 'NoSuchKey')
  const expected = state.settings.conditions === 'plain' ? existing?.etag.replaceAll('"', '') : existing?.etag
  if (ifMatch !== undefined && expected !== ifMatch) throw new Refusal(412, 'PreconditionFailed')
}

function store(call: Call, key: string, bytes: Buffer, headers: Record<string, string>): StoredObject {
  const object = { bytes, etag: quoted(bytes), modified: call.now, headers }
  call.state.objects.set(key, object)
  call.state.stored.push(key)
  return object
}

function put(call: Call): void {
  const { state, request, response, key, body } = call
  const source = request.headers['x-amz-copy-source']
  if (source !== undefined) {
    const from = decodeURIComponent(String(source)).replace(`/${state.bucket}/`, '')
    const original = state.objects.get(from)
    if (!original) throw new Refusal(404, 'NoSuchKey')
    const { etag } = store(call, key, original.bytes, original.headers)
    return void response.end(`<CopyObjectResult><ETag>${xmlOf(etag)}</ETag></CopyObjectResult>`)
  }
  if (request.headers['content-length'] === undefined) throw new Refusal(411, 'MissingContentLength')
  checkConditions(call)
  response.setHeader('etag', store(call, key, body, metadataOf(request)).etag)
  response.end()
}

function get({ state, request, response, key, query }: Call): void {
  const object = state.objects.get(key)
  if (!object) throw new Refusal(404, 'NoSuchKey')
  const ifMatch = request.headers['if-match']
  if (ifMatch !== undefined && ifMatch !== object.etag) throw new Refusal(412, 'PreconditionFailed')
  for (const [name, value] of Object.entries(object.headers)) response.setHeader(name, value)
  const type = query.get('response-content-type')
  if (type) response.setHeader('content-type', type)
  response.setHeader('etag', object.etag).setHeader('last-modified', new Date(object.modified).toUTCString())
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
  const start = range ? Number(range[1]) : 0
  if (range && start >= object.bytes.byteLength) throw new Refusal(416, 'InvalidRange')
  const end = range ? Math.min(Number(range[2]) + 1, object.bytes.byteLength) : object.bytes.byteLength
  const bytes = object.bytes.subarray(start, end)
  if (range) response.setHeader('content-range', `bytes ${start}-${end - 1}/${object.bytes.byteLength}`)
  response.writeHead(range ? 206 : 200, { 'content-length': String(bytes.byteLength) })
  response.end(request.method === 'HEAD' ? undefined : bytes)
}

function list({ state, response, query }: Call): void {
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter')
  const after = query.get('continuation-token') ?? query.get('start-after') ?? ''
  const size = Math.min(Number(query.get('max-keys') ?? 1000), state.settings.pageSize)
  const keys = [...state.objects.keys()].filter(key => key.startsWith(prefix)).sort()
  const items = new Map<string, string>()
  for (const key of keys) {
    const cut = delimiter ? key.indexOf(delimiter, prefix.length) : -1
    const name = cut < 0 ? key : key.slice(0, cut + 1)
    if (name <= after || items.has(name)) continue
    if (items.size === size) break
    items.set(name, cut < 0 ? contents(key, state.objects.get(key)!) : folder(name))
  }
  const last = [...items.keys()].at(-1) ?? ''
  const more = keys.some(key => key > last && !(last.endsWith('/') && key.startsWith(last)) && key > after)
  const next = more ? `<NextContinuationToken>${xmlOf(last)}</NextContinuationToken>` : ''
  response.end(
    `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` +
      `<EncodingType>url</EncodingType><IsTruncated>${more}</IsTruncated>${[...items.values()].join('')}${next}` +
      '</ListBucketResult>',
  )
}

function contents(key: string, { bytes, etag, modified }: StoredObject): string {
  const time = new Date(modified).toISOString()
  const name = encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+')
  const facts = `<Key>${name}</Key><Size>${bytes.byteLength}</Size><ETag>${xmlOf(etag)}</ETag>`
  return `<Contents>${facts}<LastModified>${time}</LastModified></Contents>`
}

function folder(name: string): string {
  return `<CommonPrefixes><Prefix>${encodeURIComponent(name).replaceAll('%2F', '/')}</Prefix></CommonPrefixes>`
}

function deleteMany({ state, request, response, body }: Call): void {
  const md5 = createHash('md5').update(body).digest('base64')
  if (request.headers['content-md5'] !== md5) throw new Refusal(400, 'BadDigest')
  const keys = [...body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) =>
    key!.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code))),
  )
  if (keys.length > 1000) throw new Refusal(400, 'MalformedXML')
  const locked = keys.filter(key => key.endsWith('.locked'))
  for (const key of keys) if (!locked.includes(key)) state.objects.delete(key)
  const faults = locked.map(
    key => `<Error><Key>${xmlOf(key)}</Key><Code>AccessDenied</Code><Message>m</Message></Error>`,
  )
  response.end(`<DeleteResult>${faults.join('')}</DeleteResult>`)
}

function multipart(call: Call): void {
  const { state, request, response, key, query, body } = call
  if (query.has('uploads')) {
    const id = `${randomUUID()}~/+=`
    state.uploads.set(id, { key, started: call.now, headers: metadataOf(request), parts: new Map() })
    const text = `<UploadId>${id}</UploadId>`
    return void response.end(`<InitiateMultipartUploadResult>${text}</InitiateMultipartUploadResult>`)
  }
  const id = query.get('uploadId')!
  const upload = state.uploads.get(id)
  if (upload?.key !== key) throw new Refusal(404, 'NoSuchUpload')
  if (request.method === 'PUT') {
    upload.parts.set(Number(query.get('partNumber')), body)
    return void response.setHeader('etag', quoted(body)).end()
  }
  if (request.method === 'DELETE') {
    state.uploads.delete(id)
    return void response.writeHead(204).end()
  }
  if (request.method === 'GET') listParts(call, upload)
  else complete(call, id, upload)
}

function complete(call: Call, id: string, upload: Upload): void {
  const { state, response, key, body } = call
  const parts = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>([^<]*)<\/ETag>/g)]
  const bytes = parts.map(([, number, etag]) => {
    const part = upload.parts.get(Number(number))
    if (!part || quoted(part) !== etag!.replaceAll('&#34;', '"')) throw new Refusal(400, 'InvalidPart')
    return part
  })
  const numbers = parts.map(([, number]) => Number(number))
  if (numbers.some((number, i) => i > 0 && number <= numbers[i - 1]!)) throw new Refusal(400, 'InvalidPartOrder')
  checkConditions(call)
  store(call, key, Buffer.concat(bytes), upload.headers)
  state.uploads.delete(id)
  // As services do that keep the connection alive meanwhile, and as Ceph does: blanks first, and no ETag.
  response.end('\n \n<?xml version="1.0"?><CompleteMultipartUploadResult></CompleteMultipartUploadResult>')
}

function listParts({ state, response, query }: Call, upload: Upload): void {
  const from = Number(query.get('part-number-marker') ?? 0)
  const later = [...upload.parts].filter(([number]) => number > from).sort(([a], [b]) => a - b)
  const page = later.slice(0, state.settings.pageSize)
  const items = page.map(([number, bytes]) => {
    const facts = `<PartNumber>${number}</PartNumber><ETag>${xmlOf(quoted(bytes))}</ETag><Size>${bytes.byteLength}</Size>`
    return `<Part>${facts}</Part>`
  })
  const more = later.length > page.length
  const next = `<NextPartNumberMarker>${page.at(-1)?.[0] ?? 0}</NextPartNumberMarker>`
  response.end(`<ListPartsResult><IsTruncated>${more}</IsTruncated>${next}${items.join('')}</ListPartsResult>`)
}

function listUploads({ state, response, query }: Call): void {
  const at = (key: string, id: string) => `${key}\n${id}`
  const from = query.has('key-marker') ? at(query.get('key-marker')!, query.get('upload-id-marker') ?? '') : ''
  const all = [...state.uploads].map(([id, upload]) => ({ id, ...upload }))
  const found = all
    .filter(({ key, id }) => key.startsWith(query.get('prefix') ?? '') && at(key, id) > from)
    .sort((a, b) => (at(a.key, a.id) < at(b.key, b.id) ? -1 : 1))
  const page = found.slice(0, state.settings.pageSize)
  const items = page.map(({ key, id, started }) => {
    const facts = `<Key>${xmlOf(key)}</Key><UploadId>${id}</UploadId>`
    return `<Upload>${facts}<Initiated>${new Date(started).toISOString()}</Initiated></Upload>`
  })
  const { key = '', id = '' } = page.at(-1) ?? {}
  const next = `<NextKeyMarker>${xmlOf(key)}</NextKeyMarker><NextUploadIdMarker>${id}</NextUploadIdMarker>`
  const more = `<IsTruncated>${found.length > page.length}</IsTruncated>`
  response.end(`<ListMultipartUploadsResult>${more}${next}${items.join('')}</ListMultipartUploadsResult>`)
}
