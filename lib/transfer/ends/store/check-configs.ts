import { assertLayersAgree, isImageManifest, parseImageDocument } from '../../../spec/index.ts'
import { readDocument, type Store } from '../../../store/index.ts'
import type { PlanStep } from '../../plan.ts'

/**
 * Refuses images whose config lists another number of layers than their manifest: nobody could unpack them.
 *
 * @throws {@link FormatError} `ERR_INVALID_CONFIG`.
 */
export async function checkConfigs(
  store: Store,
  steps: readonly PlanStep[],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const { kind, descriptor, need } of steps) {
    if (kind !== 'manifest' || need === 'present') continue
    const document = parseImageDocument(await readDocument(store, descriptor, { signal }), descriptor.mediaType)
    if (document.kind !== 'manifest' || !isImageManifest(document.manifest)) continue
    assertLayersAgree(document.manifest, await readDocument(store, document.manifest.config, { signal }))
  }
}
