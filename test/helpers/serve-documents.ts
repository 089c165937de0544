import { createHash } from 'node:crypto'
import { type ScriptedRegistry, startScriptedRegistry } from './start-scripted-registry.ts'

/** Response of a hostile registry at one path. */
export interface Served {
  readonly body: Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/**
 * Documents that a test serves: bytes are available as manifests and as blobs under their digest, and under further
 * names.
 */
export class ServedDocuments {
  readonly #bodies = new Map<string, Served>()

  /** Serves bytes under their digest, and describes them; `members` may contradict them. */
  add(bytes: Uint8Array | object, mediaType: string, members: object = {}): Record<string, unknown> {
    const body = bytes instanceof Uint8Array ? bytes : Buffer.from(JSON.stringify(bytes))
    const digest = digestOf(body)
    this.#bodies.set(`manifests/${digest}`, { body, headers: { 'content-type': mediaType } })
    this.#bodies.set(`blobs/${digest}`, { body, headers: { 'content-type': 'application/octet-stream' } })
    return { mediaType, digest, size: body.length, ...members }
  }

  /** Serves any response at `manifests/…` or `blobs/…`. */
  at(path: string, served: Served): void {
    this.#bodies.set(path, served)
  }

  /** Serves a document under a tag as well. */
  tag(name: string, { digest }: Record<string, unknown>): void {
    this.at(`manifests/${name}`, this.#bodies.get(`manifests/${digest}`)!)
  }

  /** Returns the response at a path. */
  get(path: string): Served | undefined {
    return this.#bodies.get(path)
  }

  start(): Promise<ScriptedRegistry> {
    return startScriptedRegistry((request, response) => {
      const path = /^\/v2\/app\/([^?]+)/.exec(request.url!)?.[1] ?? ''
      const found = this.#bodies.get(decodeURIComponent(path))
      if (!found) {
        const body = '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"none"}]}'
        return response.writeHead(404, { 'content-type': 'application/json' }).end(body)
      }
      response.writeHead(200, { 'content-length': found.body.length, ...found.headers })
      return response.end(request.method === 'HEAD' ? undefined : found.body)
    })
  }
}
