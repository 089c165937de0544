import type { Descriptor } from '../spec/index.ts'
import { examine, type LayerFindings, type ProveLayerOptions } from './prove-layer.ts'

/** A layer that is looked into while it passes. */
export interface WatchedLayer {
  /** The bytes, as they are, each chunk after it was looked into. To be read once. */
  readonly content: AsyncIterable<Uint8Array>
  /** What the layer is. Settles after the end of `content`; a `content` that is left early rejects it. */
  readonly findings: Promise<LayerFindings>
}

/**
 * Looks into a layer while its bytes go from one place to another, so that it need not be opened again: a pull that proves
 * diffIds gets them and the entry index in the pass that stores the blob. The bytes themselves are not proven here, that
 * is up to whoever takes them. A layer that cannot be read, or has another diffId, ends `content` with that error.
 *
 * A chunk that was passed on may be reused. Memory grows with the number of entries.
 *
 * @throws as `readLayer`, from `content` and from `findings`.
 */
export function watchLayer(
  source: AsyncIterable<Uint8Array>,
  descriptor: Descriptor,
  options: ProveLayerOptions = {},
): WatchedLayer {
  const passage = new Passage()
  const findings = examine(passage.taken(), descriptor, options)
  // Whoever waits for it hears of a failure; it may be that only `content` is listened to.
  findings.catch((error: Error) => passage.fail(error))
  return { content: passThrough(source, passage, findings), findings }
}

async function* passThrough(
  source: AsyncIterable<Uint8Array>,
  passage: Passage,
  findings: Promise<LayerFindings>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let complete = false
  try {
    for await (const chunk of source) {
      await passage.give(chunk)
      yield chunk
    }
    complete = true
  } finally {
    passage.close(complete ? undefined : new Error('the layer was not read to its end'))
  }
  await findings
}

/** Hands chunks over, one at a time: a chunk is used up when the other side asks for the next one. */
class Passage {
  #chunk: Uint8Array | undefined
  #closed: { readonly error: Error | undefined } | undefined
  #failure: Error | undefined
  #wake: () => void = () => {}
  #answer: { resolve: () => void; reject: (error: Error) => void } | undefined

  /** Resolves when the chunk was used. */
  async give(chunk: Uint8Array): Promise<void> {
    if (this.#failure) throw this.#failure
    const used = new Promise<void>((resolve, reject) => {
      this.#answer = { resolve, reject }
    })
    this.#chunk = chunk
    this.#wake()
    await used
  }

  /** The other side takes no more. */
  fail(error: Error): void {
    this.#failure = error
    this.#answer?.reject(error)
  }

  /** No more chunks. */
  close(error: Error | undefined): void {
    this.#closed ??= { error }
    this.#wake()
  }

  /** The chunks. */
  async *taken(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const chunk = this.#chunk
      this.#chunk = undefined
      if (chunk) {
        yield chunk
        this.#answer?.resolve()
      } else if (this.#closed?.error) throw this.#closed.error
      else if (this.#closed) return
      else {
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
      }
    }
  }
}
