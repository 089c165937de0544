import { Condition } from './condition.ts'

/**
 * A rendezvous channel for one sender and one receiver: the receiver borrows an item until it asks for the next one;
 * then `send` resolves, and the sender may use the memory of the item again.
 */
export class Handoff<T> {
  #item: { readonly value: T } | undefined
  #closed: { readonly error: Error | undefined } | undefined
  #failure: Error | undefined
  readonly #arrived = new Condition()
  #released: { resolve: () => void; reject: (error: Error) => void } | undefined

  /** Resolves when the receiver has released the item. Rejects after {@link fail}. */
  async send(value: T): Promise<void> {
    if (this.#failure) throw this.#failure
    const released = new Promise<void>((resolve, reject) => {
      this.#released = { resolve, reject }
    })
    this.#item = { value }
    this.#arrived.notify()
    await released
  }

  /** Ends the channel from the receiver's side: pending and later sends reject with this error. */
  fail(error: Error): void {
    this.#failure = error
    this.#released?.reject(error)
  }

  /** Ends the channel from the sender's side: the receiver's loop ends, or throws the error. The first call counts. */
  close(error?: Error): void {
    this.#closed ??= { error }
    this.#arrived.notify()
  }

  /** The items, for one receiver. An item is borrowed until the receiver asks for the next one. */
  async *received(): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const item = this.#item
      this.#item = undefined
      if (item) {
        yield item.value
        this.#released?.resolve()
      } else if (this.#closed?.error) throw this.#closed.error
      else if (this.#closed) return
      else await this.#arrived.wait()
    }
  }
}
