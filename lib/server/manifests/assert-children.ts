import { isDigest } from '../../digest/index.ts'
import {
  edgesOf,
  findLayerDisagreement,
  type ImageDocument,
  type ImageManifest,
  isImageManifest,
  Limits,
} from '../../oci/index.ts'
import { findDocument } from '../../store/index.ts'
import type { Call } from '../call.ts'
import { Fault, type FaultEntry } from '../fault.ts'

/** Missing blobs that one answer names; it bounds the answer for a manifest with thousands of unknown layers. */
const NAMED_IN_ANSWER = 20

/**
 * Refuses a document whose blobs the registry lacks, and an image that cannot be unpacked.
 *
 * SPEC: a registry may refuse a manifest whose blobs it lacks, and names them then (distribution-spec, end-7).
 */
export async function assertChildren(call: Call, document: ImageDocument): Promise<void> {
  const missing: FaultEntry[] = []
  for (const { descriptor, optional } of edgesOf(document)) {
    const { digest, size } = descriptor
    // A digest of an unsupported algorithm cannot have been pushed: the server could not verify it.
    const info = isDigest(digest) ? await call.store.stat(digest, { signal: call.signal }) : undefined
    if (info && info.size !== size) {
      throw invalidManifest(`${digest} has ${info.size} bytes, not ${size} as the manifest says`)
    }
    if (!info && !optional) missing.push(unknownChild(digest))
    if (missing.length === NAMED_IN_ANSWER) break
  }
  if (missing.length > 0) throw new Fault(400, missing)
  if (document.kind === 'manifest') await assertImage(call, document.manifest)
}

/**
 * Refuses an image whose config lists another number of layers than its manifest, as docker save 25.0.0 wrote it.
 *
 * SPEC: an empty list of diffIDs is accepted: the conformance suite 1.1 of the distribution specification pushes a
 * layer with such a config.
 */
async function assertImage({ store, signal }: Call, manifest: ImageManifest): Promise<void> {
  const { config } = manifest
  if (!isImageManifest(manifest) || config.size > Limits.configBytes) return
  const bytes = await findDocument(store, config, { signal })
  const found = bytes && findLayerDisagreement(manifest, bytes)
  if (!found || found.listed === 0) return
  throw invalidManifest(`the config ${config.digest} lists ${found.listed} layers, the manifest ${found.layers}`)
}

/** Error entry for a blob that a manifest refers to and the registry lacks. */
export function unknownChild(digest: string): FaultEntry {
  return { code: 'MANIFEST_BLOB_UNKNOWN', message: `the registry does not hold ${digest}`, detail: { digest } }
}

/** Fault for a document that is no manifest or index, or contradicts itself. */
export function invalidManifest(message: string): Fault {
  return new Fault(400, { code: 'MANIFEST_INVALID', message })
}
