import type { NamedBlobs } from '../../../image/index.ts'
import type { AbortOptions } from '../../../internal/abort.ts'
import { familiarName, parseReference } from '../../../oci/index.ts'
import type { FetchedManifest } from '../../../registry/index.ts'
import { readDocument } from '../../../store/index.ts'

/**
 * Reads the manifest under a tag beside a name; resolves to `undefined` if there is none. Names of layouts may be bare
 * tags, so the tag alone is looked for too.
 */
export async function readTagged(
  store: NamedBlobs,
  name: string,
  tag: string,
  options?: AbortOptions,
): Promise<FetchedManifest | undefined> {
  for (const spelling of [...besides(name, tag), tag]) {
    const descriptor = await store.references.get(spelling, options)
    if (descriptor) return { descriptor, bytes: await readDocument(store, descriptor, options) }
  }
  return undefined
}

/**
 * Returns the name of a tag beside a stored name: in the same repository, or the tag alone if the name is one of a
 * layout without a repository.
 */
export function nameBeside(name: string, tag: string, verbatim: boolean | undefined): string {
  const isWord = verbatim && !/[:/]/.test(name)
  return (isWord ? undefined : besides(name, tag)[0]) ?? tag
}

function besides(name: string, tag: string): readonly string[] {
  try {
    const { registry, repository } = parseReference(name)
    return [familiarName({ registry, repository, tag })]
  } catch {
    // A digest, or a name of a layout that is no reference.
    return []
  }
}
