import type { Worker } from 'node:cluster'
import { isWireMessage, type WireMessage } from './wire-message.ts'

/** Time that a child may take for an answer. Uploads are handed over within milliseconds, unless the disk is slow. */
const PATIENCE_MS = 10_000

/** Passes the messages of servers between the children of this process. */
export interface PeerRelay {
  /** Adds a child. It takes part from the call of {@link createProcessPeers} until its channel closes. */
  add(child: Pick<Worker, 'send' | 'on' | 'once'>): void
}

type Child = Parameters<PeerRelay['add']>[0]

interface Question {
  readonly missing: Set<Child>
  readonly answers: unknown[]
  readonly finish: (answers: readonly unknown[] | undefined) => void
}

/**
 * Connects the servers of several child processes, each of which runs {@link createProcessPeers}, so that an upload
 * which began in one of them goes on in any other.
 *
 * @example
 * ```ts
 * const { default: cluster } = await import('node:cluster')
 * const relay = createPeerRelay()
 * for (let i = 0; i < 2; i++) relay.add(cluster.fork())
 * ```
 */
export function createPeerRelay(): PeerRelay {
  return new Relay()
}

class Relay implements PeerRelay {
  readonly #children = new Set<Child>()
  readonly #questions = new Map<number, Question>()
  #passed = 0

  add(child: Child): void {
    child.on('message', (message: unknown) => {
      if (!isWireMessage(message)) return
      // Before it is ready, a child holds no upload, and messages to it are lost.
      if (message.layerstore === 'ready') this.#children.add(child)
      if (message.layerstore === 'ask') this.#pass(child, message.id, message.message)
      if (message.layerstore === 'answer') this.#settle(message.id, child, message.answer)
    })
    child.once('disconnect', () => this.#remove(child))
    child.once('exit', () => this.#remove(child))
  }

  /** A child that has ended holds no upload, so its answer is not waited for. */
  #remove(child: Child): void {
    this.#children.delete(child)
    for (const id of [...this.#questions.keys()]) this.#settle(id, child, undefined)
  }

  #pass(asker: Child, askedId: number, message: unknown): void {
    const id = this.#passed++
    const missing = new Set([...this.#children].filter(child => child !== asker))
    const timer = setTimeout(() => this.#questions.get(id)?.finish(undefined), PATIENCE_MS)
    const finish = (answers: readonly unknown[] | undefined) => {
      clearTimeout(timer)
      this.#questions.delete(id)
      send(asker, { layerstore: 'answers', id: askedId, answers })
    }
    this.#questions.set(id, { missing, answers: [], finish })
    for (const child of missing) send(child, { layerstore: 'question', id, message })
    if (missing.size === 0) finish([])
  }

  #settle(id: number, child: Child, answer: unknown): void {
    const question = this.#questions.get(id)
    if (!question?.missing.delete(child)) return
    if (answer !== undefined && answer !== null) question.answers.push(answer)
    if (question.missing.size === 0) question.finish(question.answers)
  }
}

/** Sends a message to a child. If its channel is closed, its `disconnect` event settles what waits for it. */
function send(child: Child, message: WireMessage): void {
  child.send(message, undefined, undefined, () => {})
}
