import type { TransferProgress } from '../../transfer/index.ts'

/** Counts what a transfer has moved so far. */
export class TransferCount {
  readonly #moved = new Map<string, number>()
  /** Bytes of blobs that were there when their turn came: another process moved them meanwhile. */
  fromOthers = 0

  add(event: TransferProgress): void {
    if (event.type !== 'blob') return
    if (event.state === 'present') this.fromOthers += event.size
    this.#moved.set(event.digest, event.bytes)
  }

  /** Bytes that have arrived, including those that earlier attempts left. */
  get bytes(): number {
    return [...this.#moved.values()].reduce((sum, bytes) => sum + bytes, 0)
  }
}
