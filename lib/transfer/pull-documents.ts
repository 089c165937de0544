import { verifyBytes } from '../digest/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import {
  type Descriptor,
  type GraphNode,
  isDocumentRole,
  parseImageDocument,
  parseReference,
  type Reference,
  walkGraph,
  withRemoteLayers,
} from '../oci/index.ts'
import type { RegistryClient } from '../registry/index.ts'
import { findDocument, recordKnownSource, type Store } from '../store/index.ts'
import { registrySourceEndpoint } from './endpoints/registry/registry-source-endpoint.ts'
import { imageToVerify } from './running/image-to-verify.ts'
import type { RunOptions } from './running/run-options.ts'

/** Options of {@link pullDocuments}. */
export interface PullDocumentsOptions extends AbortOptions {
  /** Verifies the image before anything is stored, as {@link RunOptions.verify} does. @defaultValue no check */
  readonly verify?: RunOptions['verify']
}

/**
 * Fetches the manifests, indexes and configs of an image of a registry into a store, but not its layers. That is enough
 * to put the image into an index, or to inspect it. The image gets no name. The returned descriptor records the
 * registry that holds the layers, so a name may be set to it.
 *
 * Documents that the store has are not fetched. Hold a lease, or set a name before the grace period of a collection
 * ends.
 *
 * @throws {@link RegistryError}, {@link DigestMismatchError}, and the errors of malformed documents.
 */
export async function pullDocuments(
  registry: RegistryClient,
  store: Store,
  reference: string | Reference,
  options: PullDocumentsOptions = {},
): Promise<Descriptor> {
  const ref = typeof reference === 'string' ? parseReference(reference) : reference
  const { verify, signal } = options
  const repository = { registry: ref.registry, repository: ref.repository }
  const { descriptor: root, bytes } = await registry.fetchManifest(ref, { signal })
  const known = (digest: string) => (digest === root.digest ? bytes : undefined)
  await verify?.(imageToVerify(registrySourceEndpoint(registry, ref), root, { known, signal }))
  await store.put(bytes, { ...root, signal })
  const fetchDocument = async ({ digest, size }: Descriptor) => {
    const stored = await findDocument(store, { mediaType: '', digest, size }, { signal })
    if (stored) return stored
    const fetched = await registry.fetchManifest({ ...repository, digest }, { signal })
    await store.put(fetched.bytes, { digest, size, signal })
    return fetched.bytes
  }
  const nodes = await walkGraph(root, {
    read: async ({ descriptor }) => parseImageDocument(await fetchDocument(descriptor), descriptor.mediaType),
  })
  for (const { role, descriptor } of nodes.filter(isBelowDocuments)) {
    const { digest, size } = descriptor
    if (await store.stat(digest, { signal })) continue
    if (role !== 'config') await recordKnownSource(store, digest, repository)
    else {
      const content = verifyBytes(registry.fetchBlob(repository, descriptor, { signal }), descriptor)
      await store.put(content, { digest, size, signal })
    }
  }
  return withRemoteLayers(root, [repository])
}

function isBelowDocuments({ role, optional }: GraphNode): boolean {
  return !isDocumentRole(role) && !optional
}
