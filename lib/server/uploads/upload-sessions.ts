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

  start(path: string, algorithm: DigestAlgorithm, client: string): UploadSession {
    return this.#add({ id: randomUUID(), path, client, algorithm, kept: 0 })
  }

  /** An upload of this server, or one that an earlier server on the same store has left; then it counts as the client's. */
  async find(route: { readonly path: string; readonly id: string }, client: string): Promise<UploadSession> {
    const left = this.#sessions.has(route.id) ? undefined : await this.#left(route)
    const session = this.#sessions.get(route.id) ?? (left && this.#add({ ...left, client }))
    if (session?.path === route.path) return session
    throw new Fault(404, { code: 'BLOB_UPLOAD_UNKNOWN', message: 'no such upload' })
  }

  #add(identity: UploadIdentity): UploadSession {
    this.#makeRoom(identity.client)
    const { minChunkBytes, uploadIdleMs, emptyUploadIdleMs, onError } = this.#settings
    const session = new UploadSession(this.#store, identity, {
      minChunkBytes,
      idleMs: uploadIdleMs,
      emptyIdleMs: emptyUploadIdleMs,
      onEnd: () => this.#sessions.delete(identity.id),
      onError,
    })
    this.#sessions.set(identity.id, session)
    return session
  }

  /**
   * Drops the oldest empty upload if there is no room for another one: of the client itself if it has too many, else of the
   * client that has the most. SAFETY: a client that begins uploads and sends nothing keeps no other client from pushing.
   */
  #makeRoom(client: string): void {
    const { maxUploads, maxUploadsPerClient, onError } = this.#settings
    const all = [...this.#sessions.values()]
    const mine = all.filter(session => session.client === client)
    const isClientFull = mine.length >= maxUploadsPerClient
    if (!isClientFull && all.length < maxUploads) return
    const empty = (isClientFull ? mine : byCrowd(all)).find(session => session.isEmpty)
    if (!empty) {
      const tooMany = { code: 'TOOMANYREQUESTS', message: 'too many uploads are open' } as const
      throw new Fault(429, tooMany, { 'Retry-After': '10' })
    }
    void empty.abort().catch(onError)
  }

  async #left({ path, id }: { path: string; id: string }): Promise<Omit<UploadIdentity, 'client'> | undefined> {
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

/** Those of the client that has the most first, and of each client the oldest first. */
function byCrowd(sessions: readonly UploadSession[]): readonly UploadSession[] {
  const counts = new Map<string, number>()
  for (const { client } of sessions) counts.set(client, (counts.get(client) ?? 0) + 1)
  return [...sessions].sort((a, b) => counts.get(b.client)! - counts.get(a.client)!)
}
