import { Handoff } from '../internal/concurrency/handoff.ts'
import type { Descriptor } from '../oci/index.ts'
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
  const handoff = new Handoff<Uint8Array>()
  const findings = examine(handoff.received(), descriptor, options)
  // Whoever waits for it hears of a failure; it may be that only `content` is listened to.
  findings.catch((error: Error) => handoff.fail(error))
  return { content: passThrough(source, handoff, findings), findings }
}

async function* passThrough(
  source: AsyncIterable<Uint8Array>,
  handoff: Handoff<Uint8Array>,
  findings: Promise<LayerFindings>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let complete = false
  try {
    for await (const chunk of source) {
      await handoff.send(chunk)
      yield chunk
    }
    complete = true
  } finally {
    handoff.close(complete ? undefined : new Error('the layer was not read to its end'))
  }
  await findings
}
