import type { Digest, DigestAlgorithm } from '../../digest/index.ts'
import type { BlobInfo } from '../../store/index.ts'
import { Fault } from '../fault.ts'
import type { RegistryPeers } from './registry-peers.ts'

/** Asks for an upload that another server has begun. */
export interface UploadQuestion {
  readonly kind: 'upload'
  readonly path: string
  readonly id: string
  /** Drops the upload even if a request is writing to it. */
  readonly drop: boolean
}

/** State of an upload at another server. */
export type UploadElsewhere =
  /** That server has ended its session and saved the bytes. */
  | {
      readonly state: 'handed-over'
      readonly algorithm: DigestAlgorithm
      readonly saved: number
      readonly isShort: boolean
    }
  /** A request at that server is writing to it. */
  | { readonly state: 'busy'; readonly offset: number }
  | { readonly state: 'dropped' }

/** Tells of a manifest that was pushed and has a subject. */
export interface ReferrerNews {
  readonly kind: 'referrer'
  readonly blob: BlobInfo
  readonly subject: Digest
}

/** Answers the messages of other servers. */
export interface PeerAnswers {
  upload(question: UploadQuestion): Promise<UploadElsewhere | undefined>
  referrer(news: ReferrerNews): void
}

/** Typed messages to the other servers over the store; there are none without `peers`. */
export class PeerLink {
  readonly #peers: RegistryPeers | undefined
  readonly #onError: (error: unknown) => void

  constructor(peers: RegistryPeers | undefined, onError: (error: unknown) => void) {
    this.#peers = peers
    this.#onError = onError
  }

  /** Answers the messages of other servers from now on. */
  serve(answers: PeerAnswers): void {
    this.#peers?.onAsk(async value => {
      try {
        const message = value as UploadQuestion | ReferrerNews
        if (message.kind === 'upload') return await answers.upload(message)
        if (message.kind === 'referrer') answers.referrer(message)
      } catch (error) {
        this.#onError(error)
      }
      return undefined
    })
  }

  /** Asks for an upload. Resolves to `undefined` if no other server has it. */
  async findUpload(question: Omit<UploadQuestion, 'kind'>): Promise<UploadElsewhere | undefined> {
    if (!this.#peers) return undefined
    try {
      return (await this.#peers.ask({ kind: 'upload', ...question }))[0] as UploadElsewhere | undefined
    } catch (cause) {
      const unavailable = { code: 'UNAVAILABLE', message: 'the process that has this upload does not answer' } as const
      throw new Fault(503, unavailable, { 'Retry-After': '5' }, { cause })
    }
  }

  /** Tells all other servers of a referrer. If one does not answer, it finds the manifest by its next scan. */
  async tellReferrer(blob: BlobInfo, subject: Digest): Promise<void> {
    const { digest, size } = blob
    await this.#peers?.ask({ kind: 'referrer', blob: { digest, size }, subject }).catch(this.#onError)
  }
}
