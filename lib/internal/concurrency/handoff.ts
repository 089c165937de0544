import { Condition } from './condition.ts'

/**
 * A rendezvous channel for one sender and one receiver: `send` resolves when the receiver asks for the next item, so
 * the sender may then use the memory of the item again.
 */
export class Handoff<T> {
  #item: { readonly value: T } | undefined
  #closed: { readonly error: Error | undefined } | undefined
  #failure: Error | undefined
  readonly #arrived = new Condition()
  #used: { resolve: () => void; reject: (error: Error) => void } | undefined

  /** Resolves when the receiver is done with the item. Rejects after {@link fail}. */
  async send(value: T): Promise<void> {
    if (this.#failure) throw this.#failure
    const used = new Promise<void>((resolve, reject) => {
      this.#used = { resolve, reject }
    })
    this.#item = { value }
    this.#arrived.notify()
    await used
  }

  /** Ends the channel from the receiver's side: pending and later sends reject with this error. */
  fail(error: Error): void {
    this.#failure = error
    this.#used?.reject(error)
  }

  /** Ends the channel from the sender's side: the receiver's loop ends, or throws the error. The first call counts. */
  close(error?: Error): void {
    this.#closed ??= { error }
    this.#arrived.notify()
  }

  /** The items, for one receiver. An item is valid until the receiver asks for the next one. */
  async *received(): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const item = this.#item
      this.#item = undefined
      if (item) {
        yield item.value
        this.#used?.resolve()
      } else if (this.#closed?.error) throw this.#closed.error
      else if (this.#closed) return
      else await this.#arrived.wait()
    }
  }
}
