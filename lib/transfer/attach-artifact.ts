import { type ComposeArtifactOptions, composeArtifact } from '../image/index.ts'
import { keepContentFaults } from '../internal/byte-source.ts'
import { type Descriptor, parseReference, type Reference } from '../oci/index.ts'
import type { RegistryClient } from '../registry/index.ts'
import { createMemoryStore, type Store } from '../store/index.ts'
import { pushImage } from './push-image.ts'

/** Options of {@link attachArtifact}. */
export interface AttachArtifactOptions extends Omit<ComposeArtifactOptions, 'subject'> {
  /** Store that keeps the artifact as well. @defaultValue none: the artifact passes through memory */
  readonly store?: Store | undefined
}

/** An attached artifact. */
export interface AttachedArtifact {
  /** Descriptor of the artifact's manifest. */
  readonly descriptor: Descriptor
  /** Descriptor of the manifest or index that it is attached to. */
  readonly subject: Descriptor
}

/**
 * Composes an artifact about an image of a registry and pushes it to the repository of that image, where
 * `registry.listReferrers` finds it: a report, an SBOM, a signature. The image does not change. The artifact gets no
 * tag. Idempotent: the same artifact has the same digest.
 *
 * If the registry has no referrers API, the client keeps the list under the fallback tag of the specification.
 *
 * @example
 * ```ts
 * await attachArtifact(registry, 'ghcr.io/team/app:1.0', {
 *   artifactType: 'application/vnd.example.report', layers: [{ title: 'report.json', content: '{}' }],
 * })
 * ```
 *
 * @throws as {@link composeArtifact}; {@link RegistryError} `ERR_MANIFEST_NOT_FOUND` and others.
 * @see
 * {@link https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests-with-subject | pushing manifests with subject}
 */
export async function attachArtifact(
  registry: RegistryClient,
  reference: string | Reference,
  options: AttachArtifactOptions,
): Promise<AttachedArtifact> {
  keepContentFaults([...(options.layers ?? []), options.config])
  const ref = typeof reference === 'string' ? parseReference(reference) : reference
  const { store = createMemoryStore(), signal } = options
  const subject = await registry.resolve(ref, { signal })
  const { descriptor } = await composeArtifact(store, { ...options, subject })
  const { registry: host, repository } = ref
  await pushImage(
    store,
    registry,
    { descriptor },
    { registry: host, repository, digest: descriptor.digest },
    { signal },
  )
  return { descriptor, subject }
}
