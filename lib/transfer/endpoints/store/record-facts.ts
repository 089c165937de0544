import pLimit from 'p-limit'
import { type Descriptor, parseConfig, parseImageDocument, type Repository } from '../../../oci/index.ts'
import { readDocument, recordKnownSource, recordLayerFact, type Store } from '../../../store/index.ts'
import type { PlanStep } from '../../plan.ts'

/**
 * Records which repository holds the blobs of a finished plan, so that a later push to the same registry can mount them
 * and a repair can fetch them. The facts are hints: a failed write is ignored.
 */
export async function recordSources(
  store: Store,
  steps: readonly PlanStep[],
  { registry, repository }: Repository,
): Promise<void> {
  const moved = steps.filter(({ need, content }) => need !== 'skip' && content === undefined)
  await eachOf(moved, ({ descriptor }) => recordKnownSource(store, descriptor.digest, { registry, repository }))
}

/** Records the diffIDs of the layers, as listed by the image configs of a finished plan. */
export async function recordDiffIds(store: Store, steps: readonly PlanStep[]): Promise<void> {
  for (const { kind, descriptor } of steps) {
    if (kind !== 'manifest') continue
    const layers = await diffIdsOf(descriptor, one => readDocument(store, one))
    await eachOf(layers, ({ layer, diffId }) => recordLayerFact(store, { digest: layer.digest, diffId, proven: false }))
  }
}

/** PERF: each fact is a small file; writing a thousand of them one after the other takes a second. */
async function eachOf<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const limit = pLimit(8)
  await Promise.all(items.map(item => limit(act, item)))
}

/**
 * Returns the layers of an image with the diffIDs that its config lists; an empty list if the document is no image or
 * its config cannot be read.
 */
export async function diffIdsOf(
  manifest: Descriptor,
  read: (document: Descriptor) => Promise<Uint8Array>,
): Promise<{ layer: Descriptor; diffId: Descriptor['digest'] }[]> {
  try {
    const document = parseImageDocument(await read(manifest), manifest.mediaType)
    if (document.kind !== 'manifest') return []
    const { config, layers } = document.manifest
    const diffIds = parseConfig(await read(config)).rootfs.diff_ids
    if (diffIds.length !== layers.length) return []
    return layers.flatMap((layer, i) => {
      const diffId = diffIds[i]
      return diffId === undefined ? [] : [{ layer, diffId }]
    })
  } catch {
    // The config of an artifact has another media type and lists no diffIDs.
    return []
  }
}
