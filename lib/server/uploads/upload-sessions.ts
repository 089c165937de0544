import { randomUUID } from 'node:crypto'
import { DIGEST_ALGORITHMS, type DigestAlgorithm } from '../../digest/index.ts'
import type { Store } from '../../store/index.ts'
import { Fault } from '../fault.ts'
import type { Settings } from '../options.ts'
import type { PeerLink, UploadElsewhere, UploadQuestion } from '../peers/peer-link.ts'
import type { UploadPosition } from './upload-headers.ts'
import { ingestKey, type UploadIdentity, UploadSession } from './upload-session.ts'

/** Format of the ids that this server issues; any other id is unknown without a look into the store. */
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const BUSY = 'another request is writing to this upload'

type UploadRoute = Pick<UploadIdentity, 'path' | 'id'>
type Elsewhere = Exclude<UploadElsewhere, { readonly state: 'handed-over' }>

/** Open uploads of a server. Their bytes are ingests of the store, so another server can resume them. */
export class UploadSessions {
  readonly #store: Store
  readonly #settings: Settings
  readonly #peers: PeerLink
  readonly #sessions = new Map<string, UploadSession>()

  constructor(store: Store, settings: Settings, peers: PeerLink) {
    this.#store = store
    this.#settings = settings
    this.#peers = peers
  }

  start(path: string, algorithm: DigestAlgorithm, client: string): UploadSession {
    this.#makeRoom(client)
    return this.#add({ id: randomUUID(), path, client, algorithm, saved: 0 })
  }

  /**
   * Called at the end of each request. Saves and forgets an upload whose next request may reach any server: this one
   * would not know what others append.
   */
  async release(session: UploadSession): Promise<void> {
    if (session.isShared && !session.isBusy) await session.suspend()
  }

  /**
   * Finds an upload of this server, takes one over from another process, or resumes one that an earlier server on the
   * same store has saved; the upload then counts for `client`.
   */
  async find(route: UploadRoute, client: string): Promise<UploadSession> {
    const found = await this.#find(route, client, false)
    if (found instanceof UploadSession) return found
    if (found?.state === 'busy') throw new Fault(409, { code: 'BLOB_UPLOAD_INVALID', message: BUSY })
    throw unknownUpload()
  }

  /** Finds an upload as {@link find}, or its offset if a request in another process is writing to it. */
  async position(route: UploadRoute, client: string): Promise<UploadPosition> {
    const found = await this.#find(route, client, false)
    if (found instanceof UploadSession) {
      await this.release(found)
      return found
    }
    if (found?.state !== 'busy') throw unknownUpload()
    return { ...route, offset: found.offset, minChunkBytes: this.#settings.minChunkBytes }
  }

  /** Drops an upload, in whichever process it is. */
  async drop(route: UploadRoute, client: string): Promise<void> {
    const found = await this.#find(route, client, true)
    if (!found) throw unknownUpload()
    if (found instanceof UploadSession) await found.abort()
  }

  async #find(route: UploadRoute, client: string, drop: boolean): Promise<UploadSession | Elsewhere | undefined> {
    const { path, id } = route
    const isHere = this.#sessions.has(id) || !ID.test(id) || this.#settings.readOnly
    const elsewhere = isHere ? undefined : await this.#peers.findUpload({ path, id, drop })
    if (elsewhere && elsewhere.state !== 'handed-over') return elsewhere
    const saved = isHere || elsewhere ? undefined : await this.#findSaved(route)
    const here = this.#sessions.get(id)
    if (here) return here.path === path ? here : undefined
    // The other process has admitted this upload, and has one less now.
    if (elsewhere) return this.#add({ ...elsewhere, id, path, client })
    const found = saved ?? (this.#mayBeAnywhere(id) ? { id, path, algorithm: 'sha256' as const, saved: 0 } : undefined)
    if (!found) return undefined
    this.#makeRoom(client)
    return this.#add({ ...found, client })
  }

  /**
   * Whether another server may have started this upload: one without bytes is only an id. A client that invents the id
   * gets no more than by starting an upload.
   */
  #mayBeAnywhere(id: string): boolean {
    const { shareUploads, readOnly } = this.#settings
    return shareUploads && !readOnly && ID.test(id)
  }

  /** Answers the question of another process for an upload: hands it over unless a request is writing to it. */
  async handOver({ path, id, drop }: UploadQuestion): Promise<UploadElsewhere | undefined> {
    const session = this.#sessions.get(id)
    if (session?.path !== path) return undefined
    if (drop) {
      await session.abort()
      return { state: 'dropped' }
    }
    if (session.isBusy) return { state: 'busy', offset: session.offset }
    await session.suspend()
    return { state: 'handed-over', ...session.state }
  }

  #add(identity: UploadIdentity): UploadSession {
    const { minChunkBytes, uploadIdleMs, emptyUploadIdleMs, onError, shareUploads } = this.#settings
    const session = new UploadSession(this.#store, identity, {
      minChunkBytes,
      idleMs: uploadIdleMs,
      emptyIdleMs: emptyUploadIdleMs,
      // Only the id and the saved bytes reach other servers, and neither tells an algorithm before the first byte.
      isShared: shareUploads && identity.algorithm === 'sha256',
      onEnd: () => {
        if (this.#sessions.get(identity.id) === session) this.#sessions.delete(identity.id)
      },
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

  async #findSaved({ path, id }: UploadRoute): Promise<Omit<UploadIdentity, 'client'> | undefined> {
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

function unknownUpload(): Fault {
  return new Fault(404, { code: 'BLOB_UPLOAD_UNKNOWN', message: 'no such upload' })
}

/** Sorts sessions: the client with the most uploads first, and the oldest of each client first. */
function busiestClientFirst(sessions: readonly UploadSession[]): readonly UploadSession[] {
  const counts = new Map<string, number>()
  for (const { client } of sessions) counts.set(client, (counts.get(client) ?? 0) + 1)
  return [...sessions].sort((a, b) => counts.get(b.client)! - counts.get(a.client)!)
}
