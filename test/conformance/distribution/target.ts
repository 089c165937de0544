import { createHash, randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import { type HttpAnswer, httpRequest } from '../../helpers/http-request.ts'

/** One case of the distribution specification. `run` throws if the registry fails it. */
export type Case = readonly [name: string, run: (target: Target) => Promise<void>]

/** Descriptor of some bytes. */
export interface Described {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json'
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json'
export const OCI_EMPTY = 'application/vnd.oci.empty.v1+json'
export const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar'
export const EMPTY_JSON = Buffer.from('{}')

/** Digest of bytes, computed by node:crypto. */
export function digestOf(bytes: Uint8Array, algorithm = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
}

export function describe(bytes: Uint8Array, mediaType: string): Described {
  return { mediaType, digest: digestOf(bytes), size: bytes.length }
}

/** Random bytes, so that no case finds a blob of another case. */
export const someBytes = (length = 512): Buffer => randomBytes(length)

/** Bytes of a manifest or index, with their descriptor. */
export interface Document {
  readonly bytes: Buffer
  readonly described: Described
}

export function documentOf(mediaType: string, members: object): Document {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...members }))
  return { bytes, described: describe(bytes, mediaType) }
}

/** Without it, docker-registry 2.8 assumes a client that knows only Docker's document types. */
const ACCEPT = { accept: `${OCI_MANIFEST}, ${OCI_INDEX}` }

/** Registry under test, with two repositories that only this case uses. */
export class Target implements AsyncDisposable {
  readonly url: string
  readonly repository: string
  readonly other: string

  constructor(url: string) {
    const unique = randomBytes(6).toString('hex')
    this.url = url
    this.repository = `conformance/a${unique}`
    this.other = `conformance/b${unique}`
  }

  ask(
    method: string,
    path: string,
    options: { headers?: Record<string, string>; body?: Uint8Array | Iterable<Uint8Array> } = {},
  ): Promise<HttpAnswer> {
    const whole = path.startsWith('/') ? path : `/v2/${this.repository}/${path}`
    const { body } = options
    const length = body instanceof Uint8Array ? { 'content-length': `${body.length}` } : {}
    return httpRequest(this.url, method, whole, { ...options, headers: { ...ACCEPT, ...length, ...options.headers } })
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** Starts an upload and resolves to its path. */
  async startUpload(query = '', repository = this.repository): Promise<string> {
    const answer = await this.ask('POST', `/v2/${repository}/blobs/uploads/${query}`, {
      headers: { 'content-length': '0' },
    })
    expect(answer.status).toBe(202)
    return this.locationOf(answer)
  }

  /** Path and query of an answer's Location. */
  locationOf({ headers }: HttpAnswer): string {
    expect(headers.location).toBeTruthy()
    const { pathname, search } = new URL(headers.location!, this.url)
    return `${pathname}${search}`
  }

  async pushBlob(bytes: Buffer, mediaType = OCI_LAYER, repository = this.repository): Promise<Described> {
    const described = describe(bytes, mediaType)
    const path = withQuery(await this.startUpload('', repository), { digest: described.digest })
    const answer = await this.ask('PUT', path, { headers: { 'content-type': 'application/octet-stream' }, body: bytes })
    expect(answer.status).toBe(201)
    return described
  }

  putManifest(reference: string, { bytes, described }: Document, query = ''): Promise<HttpAnswer> {
    const headers = { 'content-type': described.mediaType }
    return this.ask('PUT', `manifests/${reference}${query}`, { headers, body: bytes })
  }

  /** Puts a manifest and expects 201. */
  async pushManifest(reference: string, document: Document): Promise<HttpAnswer> {
    const answer = await this.putManifest(reference, document)
    expect(answer.status).toBe(201)
    expect(answer.headers.location).toBeTruthy()
    return answer
  }

  /** Manifest of an image whose blobs are pushed; the manifest itself is not. */
  async image(members: object = {}): Promise<Document> {
    const config = await this.pushBlob(
      Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } })),
      OCI_CONFIG,
    )
    const layers = [await this.pushBlob(someBytes())]
    return documentOf(OCI_MANIFEST, { config, layers, ...members })
  }

  /** Manifest of an artifact with a subject; its blobs are pushed. */
  async referrer(subject: Described, artifactType: string, note: string): Promise<Document> {
    const config = await this.pushBlob(EMPTY_JSON, OCI_EMPTY)
    const layers = [await this.pushBlob(someBytes(), 'application/octet-stream')]
    return documentOf(OCI_MANIFEST, { artifactType, config, layers, subject, annotations: { 'test.note': note } })
  }
}

export function withQuery(path: string, query: Record<string, string>): string {
  return `${path}${path.includes('?') ? '&' : '?'}${new URLSearchParams(query)}`
}

/** SPEC: errors are `{"errors":[{"code","message","detail"}]}` with codes of upper-case letters and underscores. */
export function expectErrors(answer: HttpAnswer, codes?: readonly string[]): void {
  const { errors } = answer.json()
  expect(errors.length).toBeGreaterThan(0)
  for (const { code } of errors) expect(code).toMatch(/^[A-Z_]+$/)
  if (codes) expect(codes).toContain(errors[0]!.code)
}
