import { composeArtifact } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { canonicalJson } from '../../internal/canonical-json.ts'
import { type Descriptor, type ImageManifest, MediaType, parseImageDocument } from '../../oci/index.ts'
import type { FetchedManifest } from '../../registry/index.ts'
import type { Store } from '../../store/index.ts'
import type { TransferSource } from '../../transfer/index.ts'
import type { ToSign } from './compose-bundle.ts'
import { SignatureAnnotation, SignatureType } from './formats/media-types.ts'
import { formatSimpleSigning } from './formats/simple-signing.ts'
import { readSmall } from './read-small.ts'

/** Signs a payload of simple signing, stores it, and returns the layer that holds it. */
export async function simpleLayer(store: Store, { key, what, annotations, signal }: ToSign): Promise<Descriptor> {
  const payload = formatSimpleSigning(what, annotations)
  const signature = Buffer.from(await key.sign(payload)).toString('base64')
  const info = await store.put(payload, { signal })
  return {
    mediaType: SignatureType.SimpleSigning,
    ...info,
    annotations: { [SignatureAnnotation.Signature]: signature },
  }
}

/** Composes the referrer that cosign 2 writes with `--registry-referrers-mode=oci-1-1`. */
export async function composeSimpleReferrer(
  store: Store,
  subject: Descriptor,
  layer: Descriptor,
  { signal }: AbortOptions,
): Promise<Descriptor> {
  const artifactType = SignatureType.SimpleSigningArtifact
  return (await composeArtifact(store, { artifactType, layers: [layer], subject, signal })).descriptor
}

/** Composes the manifest of the tag `sha256-<hex>.sig`: the signatures that it has, and one more. */
export async function addToTag(
  store: Store,
  existing: FetchedManifest | undefined,
  layer: Descriptor,
  { source, signal }: AbortOptions & { readonly source: TransferSource },
): Promise<Descriptor> {
  const before = existing ? layersIn(existing) : []
  for (const one of before) await store.put(await readSmall(source, one, { signal }), { digest: one.digest, signal })
  const layers = [...before, layer]
  const config = canonicalJson({
    architecture: '',
    os: '',
    config: {},
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
  })
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: MediaType.OciManifest,
    config: { mediaType: MediaType.OciConfig, ...(await store.put(config, { signal })) },
    layers,
  }
  const info = await store.put(canonicalJson(manifest), { signal })
  return { mediaType: MediaType.OciManifest, ...info }
}

function layersIn({ bytes, descriptor }: FetchedManifest): readonly Descriptor[] {
  const document = parseImageDocument(bytes, descriptor.mediaType)
  return document.kind === 'manifest' ? document.manifest.layers : []
}
