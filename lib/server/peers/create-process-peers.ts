import type { RegistryPeers } from './registry-peers.ts'
import { isWireMessage, type WireMessage } from './wire-message.ts'

/**
 * Connects the server of a child process to those of its siblings, through the parent, which runs
 * {@link createPeerRelay}. The process must have been started with a channel (`child_process.fork`, `cluster.fork`).
 *
 * @example
 * ```ts
 * const server = createRegistryServer(store, { peers: createProcessPeers() })
 * await server.listen({ port: 5000 }) // in a worker of node:cluster all workers share the port
 * ```
 */
export function createProcessPeers(): RegistryPeers {
  return new ProcessPeers()
}

interface Waiting {
  readonly resolve: (answers: readonly unknown[]) => void
  readonly reject: (error: Error) => void
}

class ProcessPeers implements RegistryPeers {
  readonly #waiting = new Map<number, Waiting>()
  #asked = 0
  #answer: ((message: unknown) => Promise<unknown>) | undefined

  constructor() {
    process.on('message', message => {
      if (isWireMessage(message)) this.#take(message)
    })
    // Without a parent there are no siblings.
    process.once('disconnect', () => {
      for (const { resolve } of this.#waiting.values()) resolve([])
      this.#waiting.clear()
    })
    send({ layerstore: 'ready' })
  }

  ask(message: unknown): Promise<readonly unknown[]> {
    if (!process.connected) return Promise.resolve([])
    const id = this.#asked++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      send({ layerstore: 'ask', id, message })
    })
  }

  onAsk(answer: (message: unknown) => Promise<unknown>): void {
    this.#answer = answer
  }

  #take(message: WireMessage): void {
    if (message.layerstore === 'question') void this.#reply(message.id, message.message)
    if (message.layerstore !== 'answers') return
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if (message.answers) waiting?.resolve(message.answers)
    else waiting?.reject(new Error('another process of this server does not answer'))
  }

  async #reply(id: number, message: unknown): Promise<void> {
    const answer = await this.#answer?.(message).catch(() => undefined)
    send({ layerstore: 'answer', id, answer })
  }
}

/** Sends a message to the parent. If the channel closes meanwhile, the `disconnect` listener settles the question. */
function send(message: WireMessage): void {
  process.send?.(message, undefined, undefined, () => {})
}
