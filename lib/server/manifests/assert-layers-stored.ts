import { BlobNotFoundError } from '../../errors/index.ts'
import { type Descriptor, formatReference, remoteLayersOf } from '../../oci/index.ts'
import { assertComplete } from '../../store/index.ts'
import type { Call } from '../call.ts'
import { Fault } from '../fault.ts'

/**
 * Refuses an image that the store keeps without the layers of its base: a client would fetch the manifest and then fail
 * at the first layer.
 */
export async function assertLayersStored(call: Call, descriptor: Descriptor, reference: string): Promise<void> {
  const [source] = remoteLayersOf(descriptor)
  if (!source) return
  try {
    await assertComplete(call.store, descriptor, { allLayers: true, signal: call.signal })
  } catch (error) {
    if (!(error instanceof BlobNotFoundError)) throw error
    const message = `the layers of this image were left in ${formatReference(source)}; pull them into the store first`
    throw new Fault(404, { code: 'MANIFEST_UNKNOWN', message, detail: { reference } })
  }
}
