import type { Digest } from '../../digest/index.ts'
import { composeArtifact } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'
import { formatBundle } from './formats/bundle.ts'
import { preAuthEncoding } from './formats/envelope.ts'
import { MOST_INLINE, SIGN_PREDICATE, SignatureAnnotation, SignatureType } from './formats/media-types.ts'
import { formatSignStatement } from './formats/statement.ts'
import type { SigningKey } from './keys/signing-key.ts'

/** A claim about an image, and the key that signs it. */
export interface ToSign extends AbortOptions {
  readonly key: SigningKey
  readonly what: { readonly digest: Digest; readonly name: string }
  readonly annotations?: Readonly<Record<string, string>> | undefined
}

/** Signs a statement about an image, and composes the referrer with its bundle. */
export async function composeBundle(store: Store, subject: Descriptor, toSign: ToSign): Promise<Descriptor> {
  const { key, what, annotations, signal } = toSign
  const payload = formatSignStatement(what, annotations)
  const payloadType = SignatureType.InToto
  const signature = await key.sign(preAuthEncoding(payloadType, payload))
  const bundle = formatBundle({ payloadType, payload, signature }, key.hint)
  // PERF: a list of referrers repeats the annotations, so a reader of it needs neither the manifest nor the blob.
  const inline = bundle.length <= MOST_INLINE ? { [SignatureAnnotation.InlineBundle]: bundle } : {}
  const { descriptor } = await composeArtifact(store, {
    artifactType: SignatureType.Bundle,
    layers: [{ mediaType: SignatureType.Bundle, content: bundle }],
    subject,
    annotations: {
      [SignatureAnnotation.BundleContent]: 'dsse-envelope',
      [SignatureAnnotation.BundlePredicate]: SIGN_PREDICATE,
      ...inline,
    },
    signal,
  })
  return descriptor
}
