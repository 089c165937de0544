import { randomUUID } from 'node:crypto'
import { DIGEST_ALGORITHMS, type DigestAlgorithm } from '../../digest/index.ts'
import type { Store } from '../../store/index.ts'
import { Fault } from '../fault.ts'
import type { Settings } from '../options.ts'
import { ingestKey, type UploadIdentity, UploadSession } from './upload-session.ts'

/** The form of the ids that this server gives; nothing else is looked for. */
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The uploads that are open. Their bytes are ingests of the store, so that another server can go on with them. */
export class UploadSessions {
  readonly #store: Store
  readonly #settings: Settings
  readonly #sessions = new Map<string, UploadSession>()

  constructor(store: Store, settings: Settings) {
    this.#store = store
    this.#settings = settings
  }

  start(path: string, algorithm: DigestAlgorithm): UploadSession {
    return this.#add({ id: randomUUID(), path, algorithm, kept: 0 })
  }

  /** An upload of this server, or one that an earlier server on the same store has left. */
  async find(route: { readonly path: string; readonly id: string }): Promise<UploadSession> {
    const left = this.#sessions.has(route.id) ? undefined : await this.#left(route)
    const session = this.#sessions.get(route.id) ?? (left && this.#add(left))
    if (session?.path === route.path) return session
    throw new Fault(404, { code: 'BLOB_UPLOAD_UNKNOWN', message: 'no such upload' })
  }

  #add(identity: UploadIdentity): UploadSession {
    if (this.#sessions.size >= this.#settings.maxUploads) {
      const tooMany = { code: 'TOOMANYREQUESTS', message: 'too many uploads are open' } as const
      throw new Fault(429, tooMany, { 'Retry-After': '10' })
    }
    const session = new UploadSession(this.#store, identity, {
      minChunkBytes: this.#settings.minChunkBytes,
      idleMs: this.#settings.uploadIdleMs,
      onEnd: () => this.#sessions.delete(identity.id),
      onError: this.#settings.onError,
    })
    this.#sessions.set(identity.id, session)
    return session
  }

  async #left({ path, id }: { path: string; id: string }): Promise<UploadIdentity | undefined> {
    if (!ID.test(id) || this.#settings.readOnly) return undefined
    for (const algorithm of Object.keys(DIGEST_ALGORITHMS) as DigestAlgorithm[]) {
      const found = await this.#store.statIngest?.(ingestKey({ path, id }), { algorithm })
      if (found && found.offset > 0) return { id, path, algorithm, kept: found.offset }
    }
    return undefined
  }

  /** Drops all of them, bytes included, or leaves them for another server. */
  async close(): Promise<void> {
    const { keepUploads } = this.#settings
    await Promise.all([...this.#sessions.values()].map(session => (keepUploads ? session.leave() : session.abort())))
  }
}
