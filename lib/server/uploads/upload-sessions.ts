import { randomUUID } from 'node:crypto'
import { DIGEST_ALGORITHMS, type DigestAlgorithm } from '../../digest/index.ts'
import type { Store } from '../../store/index.ts'
import { Fault } from '../fault.ts'
import type { Settings } from '../options.ts'
import { ingestKey, type UploadIdentity, UploadSession } from './upload-session.ts'

/** Format of the ids that this server issues; any other id is unknown without a look into the store. */
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Open uploads of a server. Their bytes are ingests of the store, so another server can resume them. */
export class UploadSessions {
  readonly #store: Store
  readonly #settings: Settings
  readonly #sessions = new Map<string, UploadSession>()

  constructor(store: Store, settings: Settings) {
    this.#store = store
    this.#settings = settings
  }

  start(path: string, algorithm: DigestAlgorithm, client: string): UploadSession {
    return this.#add({ id: randomUUID(), path, client, algorithm, saved: 0 })
  }

  /**
   * Finds an upload of this server, or resumes one that an earlier server on the same store has saved; a resumed upload
   * counts for `client`.
   */
  async find(route: { readonly path: string; readonly id: string }, client: string): Promise<UploadSession> {
    const saved = this.#sessions.has(route.id) ? undefined : await this.#findSaved(route)
    const session = this.#sessions.get(route.id) ?? (saved && this.#add({ ...saved, client }))
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
   * Makes room for a further upload: drops the oldest empty upload of the client if the client is at its limit,
   * otherwise that of the client with the most uploads.
   *
   * SAFETY: a client may start uploads without end and send nothing. Replacing empty uploads prevents that other
   * clients are refused until they expire.
   */
  #makeRoom(client: string): void {
    const { maxUploads, maxUploadsPerClient, onError } = this.#settings
    const all = [...this.#sessions.values()]
    const mine = all.filter(session => session.client === client)
    const isClientFull = mine.length >= maxUploadsPerClient
    if (!isClientFull && all.length < maxUploads) return
    const empty = (isClientFull ? mine : busiestClientFirst(all)).find(session => session.isEmpty)
    if (!empty) {
      const tooMany = { code: 'TOOMANYREQUESTS', message: 'too many uploads are open' } as const
      throw new Fault(429, tooMany, { 'Retry-After': '10' })
    }
    void empty.abort().catch(onError)
  }

  async #findSaved({ path, id }: { path: string; id: string }): Promise<Omit<UploadIdentity, 'client'> | undefined> {
    if (!ID.test(id) || this.#settings.readOnly) return undefined
    for (const algorithm of Object.keys(DIGEST_ALGORITHMS) as DigestAlgorithm[]) {
      const found = await this.#store.statIngest?.(ingestKey({ path, id }), { algorithm })
      if (found && found.offset > 0) return { id, path, algorithm, saved: found.offset }
    }
    return undefined
  }

  /** Ends all uploads: drops their bytes, or saves them with `keepUploads`. */
  async close(): Promise<void> {
    const { keepUploads } = this.#settings
    await Promise.all([...this.#sessions.values()].map(session => (keepUploads ? session.suspend() : session.abort())))
  }
}

/** Sorts sessions: the client with the most uploads first, and the oldest of each client first. */
function busiestClientFirst(sessions: readonly UploadSession[]): readonly UploadSession[] {
  const counts = new Map<string, number>()
  for (const { client } of sessions) counts.set(client, (counts.get(client) ?? 0) + 1)
  return [...sessions].sort((a, b) => counts.get(b.client)! - counts.get(a.client)!)
}
