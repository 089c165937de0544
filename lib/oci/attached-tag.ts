import { type Digest, splitDigest } from '../digest/index.ts'

/** Kinds of what cosign keeps under a tag beside an image: signatures, attestations, SBOMs. */
export type AttachedKind = 'sig' | 'att' | 'sbom'

/** A tag of a layout, which has no repository, becomes a name with `:latest` in a store. */
const TAG = /(?:^|:)(sha(?:256|512)-[0-9a-f]{64,128}\.(?:sig|att|sbom))(?::latest)?$/

/**
 * Returns the tag under which cosign keeps what is attached to a manifest, `sha256-<hex>.sig`.
 *
 * @example
 * ```ts
 * const tag = attachedTag(digest, 'sig')
 * const signature = await registry.fetchManifest({ registry: 'ghcr.io', repository: 'team/app', tag })
 * ```
 *
 * @see
 * {@link https://github.com/sigstore/cosign/blob/v2.4.1/specs/SIGNATURE_SPEC.md#tag-based-discovery | tags of cosign}
 */
export function attachedTag(digest: Digest, kind: AttachedKind): string {
  const { algorithm, hex } = splitDigest(digest)
  return `${algorithm}-${hex}.${kind}`
}

/**
 * Returns the tag of cosign at the end of a name; `undefined` for a name without one.
 *
 * @example
 * ```ts
 * for await (const { name } of store.references.list()) if (attachedTagIn(name) === undefined) console.log(name)
 * ```
 */
export function attachedTagIn(name: string): string | undefined {
  return TAG.exec(name)?.[1]
}
