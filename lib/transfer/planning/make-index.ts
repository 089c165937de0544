import { digestOf } from '../../digest/index.ts'
import { canonicalJson } from '../../internal/canonical-json.ts'
import { parseStrictJson } from '../../internal/strict-json.ts'
import type { Descriptor } from '../../oci/index.ts'

/**
 * Makes an index of some manifests of another index, with all its other members. A name must not refer to an incomplete
 * image, so a copy of two of five platforms gets an index of two.
 */
export async function makeIndex(
  whole: Descriptor,
  bytes: Uint8Array,
  manifests: readonly Descriptor[],
): Promise<{ root: Descriptor; content: string }> {
  const made = canonicalJson({ ...(parseStrictJson(bytes) as object), manifests })
  const root = { mediaType: whole.mediaType, digest: await digestOf(made), size: made.byteLength }
  return { root, content: Buffer.from(made).toString('utf8') }
}
