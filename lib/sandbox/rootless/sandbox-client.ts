import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { SandboxError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { Channel } from './channel/channel.ts'
import type { Message, Port } from './channel/message.ts'
import { OfferedStores } from './offered-stores.ts'
import { type SandboxProcess, startSandboxProcess } from './start-sandbox-process.ts'

/** The process in the namespace with the channel to it. */
export interface ConnectedSandbox extends Pick<SandboxProcess, 'ids' | 'refusal'> {
  readonly channel: Channel
}

/**
 * Starts the process in the namespace with the first call, and again if it has ended. The process keeps this one
 * running only while it is asked something.
 */
export class SandboxClient implements AsyncDisposable {
  readonly offered = new OfferedStores()
  #started: Promise<ConnectedSandbox & { readonly child: ChildProcess }> | undefined

  /** @throws as {@link startSandboxProcess}. */
  connect({ signal }: AbortOptions = {}): Promise<ConnectedSandbox> {
    // Not the signal of one call: others may wait for the same process.
    this.#started ??= this.#start()
    signal?.throwIfAborted()
    return this.#started
  }

  /** Ends the process. Stacks that are open are removed. */
  async [Symbol.asyncDispose](): Promise<void> {
    const started = this.#started
    this.#started = undefined
    const { child } = (await started?.catch(() => undefined)) ?? {}
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.ref()
    const ended = once(child, 'exit')
    if (child.connected) child.disconnect()
    await ended
  }

  async #start() {
    try {
      const { child, ...about } = await startSandboxProcess({})
      const channel = new Channel(portOf(child), this.offered.handlers, busy => keepRunning(child, busy))
      keepRunning(child, false)
      child.once('exit', (code, signal) => {
        this.#started = undefined
        const message = `the process in the user namespace ended with ${signal ?? code}`
        channel.end(new SandboxError('ERR_SANDBOX_START', message))
      })
      return { ...about, child, channel }
    } catch (error) {
      this.#started = undefined
      throw error
    }
  }
}

function portOf(child: ChildProcess): Port {
  return {
    send: message => void (child.connected && child.send(message, () => {})),
    listen(onMessage, onEnd) {
      child.on('message', message => onMessage(message as Message))
      child.once('exit', onEnd)
    },
  }
}

function keepRunning(child: ChildProcess, isBusy: boolean): void {
  const act = isBusy ? 'ref' : 'unref'
  child[act]()
  child.channel?.[act]()
}
