import { digestOf } from '../../digest/index.ts'
import { canonicalJson } from '../../internal/canonical-json.ts'
import { parseStrictJson } from '../../internal/strict-json.ts'
import type { Descriptor } from '../../oci/index.ts'

/**
 * An index of some of the manifests of another, everything else in it kept. A name never stands for an incomplete image, so
 * whoever takes two of five platforms gets an index of two.
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
