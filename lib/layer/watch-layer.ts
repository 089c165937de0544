import { Handoff } from '../internal/concurrency/handoff.ts'
import type { Descriptor } from '../oci/index.ts'
import { examine, type LayerFindings, type ProveLayerOptions } from './prove-layer.ts'

/** A layer that is indexed while its bytes pass. */
export interface WatchedLayer {
  /** The bytes, unchanged; each chunk is parsed before it is yielded. Read it once. */
  readonly content: AsyncIterable<Uint8Array>
  /** Resolves to diffId and index after the end of `content`; rejects if the reader leaves `content` early. */
  readonly findings: Promise<LayerFindings>
}

/**
 * Computes diffId and entry index of a layer while its bytes are copied, so that the layer need not be opened again: a
 * pull that verifies diffIds gets both in the pass that stores the blob. The digest of the bytes is not verified here;
 * the receiver verifies it. If the layer cannot be read or has another diffId, `content` throws that error.
 *
 * The reader may reuse the memory of a chunk. Memory grows with the number of entries.
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
  // A caller may read `content` only: a rejection of `findings` must reach it, and must not be unhandled.
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
