import { type ComposeArtifactOptions, composeArtifact } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { canonicalJson } from '../../internal/canonical-json.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'
import type { ImageStatement } from './statement.ts'

/** Media type of a statement as a blob. */
export const STATEMENT_TYPE = 'application/vnd.in-toto+json'
/** Annotation of a blob with the predicate type of its statement. */
export const PREDICATE_ANNOTATION = 'in-toto.io/predicate-type'
/** Annotation of an entry of an index that says that it is an attestation. */
export const REFERENCE_TYPE = 'vnd.docker.reference.type'
/** Annotation of such an entry with the digest of the image that it is about. */
export const REFERENCE_DIGEST = 'vnd.docker.reference.digest'
/** Artifact type of the manifest. */
const ATTESTATION_MANIFEST = 'application/vnd.docker.attestation.manifest.v1+json'

/**
 * Describes statements as the artifact that BuildKit keeps them in, for {@link composeArtifact} and `attachArtifact`.
 *
 * @example
 * ```ts
 * const predicate = { passed: true }
 * const statement = makeStatement({ digest, predicateType: 'https://example.org/test', predicate })
 * await attachArtifact(registry, 'ghcr.io/team/app:1.0', attestationArtifact([statement]))
 * ```
 */
export function attestationArtifact(
  statements: readonly ImageStatement[],
): Pick<ComposeArtifactOptions, 'artifactType' | 'layers'> {
  return {
    artifactType: ATTESTATION_MANIFEST,
    layers: statements.map(statement => ({
      content: canonicalJson(statement),
      mediaType: STATEMENT_TYPE,
      annotations: { [PREDICATE_ANNOTATION]: statement.predicateType },
    })),
  }
}

/**
 * Stores statements about an image as BuildKit does: a manifest with a blob for each statement. Resolves to its entry
 * for the index that lists the image. The manifest names the image as its subject, so that registries list it as a
 * referrer too. Equal statements give equal digests.
 *
 * @example
 * ```ts
 * const { descriptor } = await readImage(store, 'app:1.0')
 * const predicate = { passed: true }
 * const statement = makeStatement({ digest, predicateType: 'https://example.org/test', predicate })
 * const entry = await putAttestations(store, descriptor, [statement])
 * ```
 *
 * @throws the errors of the store.
 * @see {@link https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md | BuildKit: attestation storage}
 */
export async function putAttestations(
  store: Store,
  subject: Descriptor,
  statements: readonly ImageStatement[],
  { signal }: AbortOptions = {},
): Promise<Descriptor> {
  const { descriptor } = await composeArtifact(store, { ...attestationArtifact(statements), subject, signal })
  return {
    ...descriptor,
    platform: { architecture: 'unknown', os: 'unknown' },
    annotations: { [REFERENCE_TYPE]: 'attestation-manifest', [REFERENCE_DIGEST]: subject.digest },
  }
}
