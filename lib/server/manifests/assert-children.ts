import { isDigest } from '../../digest/index.ts'
import {
  edgesOf,
  findLayerDisagreement,
  type ImageDocument,
  type ImageManifest,
  isImageManifest,
  Limits,
} from '../../spec/index.ts'
import { findDocument } from '../../store/index.ts'
import type { Call } from '../call.ts'
import { Fault, type FaultEntry } from '../fault.ts'

/** As many as help; a manifest of a thousand unknown layers is not worth a longer answer. */
const NAMED_IN_ANSWER = 20

/**
 * Refuses a document whose blobs the registry does not hold, and an image that nothing could unpack.
 *
 * SPEC: a registry may refuse a manifest whose blobs it does not hold, naming them (distribution-spec, end-7).
 */
export async function assertChildren(call: Call, document: ImageDocument): Promise<void> {
  const missing: FaultEntry[] = []
  for (const { descriptor, optional } of edgesOf(document)) {
    const { digest, size } = descriptor
    // A blob that cannot be verified cannot have been pushed.
    const info = isDigest(digest) ? await call.store.stat(digest, { signal: call.signal }) : undefined
    if (info && info.size !== size) {
      throw invalidManifest(`${digest} has ${info.size} bytes, not ${size} as the manifest says`)
    }
    if (!info && !optional) missing.push(unknownBlob(digest))
    if (missing.length === NAMED_IN_ANSWER) break
  }
  if (missing.length > 0) throw new Fault(400, missing)
  if (document.kind === 'manifest') await assertImage(call, document.manifest)
}

/**
 * A config that lists other layers than the manifest is that of another image, as `docker save` 25.0.0 wrote it.
 *
 * SPEC: nothing asks a config for diffIDs here. An empty list is taken: the conformance suite 1.1 of the distribution
 * specification pushes a layer with one.
 */
async function assertImage({ store, signal }: Call, manifest: ImageManifest): Promise<void> {
  const { config } = manifest
  if (!isImageManifest(manifest) || config.size > Limits.configBytes) return
  const bytes = await findDocument(store, config, { signal })
  const found = bytes && findLayerDisagreement(manifest, bytes)
  if (!found || found.listed === 0) return
  throw invalidManifest(`the config ${config.digest} lists ${found.listed} layers, the manifest ${found.layers}`)
}

/** A blob that the registry does not hold, as an answer names it. */
export function unknownBlob(digest: string): FaultEntry {
  return { code: 'MANIFEST_BLOB_UNKNOWN', message: `the registry does not hold ${digest}`, detail: { digest } }
}

/** The answer to a document that is no manifest or index, or contradicts itself. */
export function invalidManifest(message: string): Fault {
  return new Fault(400, { code: 'MANIFEST_INVALID', message })
}
