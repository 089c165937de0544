import type { CertificateIdentity, VerifiedSignature } from '../../../trust/index.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { imageLocation } from '../../places/image-location.ts'
import { openCopySource, splitPlace } from '../../places/image-place.ts'
import { readPem } from '../../registries/read-pem.ts'
import type { Session } from '../../session/session.ts'
import { readTrustedRoot } from '../../signing/read-trusted-root.ts'

/** Options of `verify`. */
export interface VerifyCommandOptions {
  readonly verificationKeys?: readonly string[]
  readonly certificateIdentity?: string
  readonly certificateIdentityRegexp?: string
  readonly certificateOidcIssuer?: string
  readonly certificateOidcIssuerRegexp?: string
  readonly trustedRoot?: string
  readonly attestation?: readonly string[]
  readonly signedName?: string
}

/** `verify NAME --key FILE`: fails unless a trusted key or identity has signed the image; prints its digest. */
export async function verify(session: Session, text: string, options: VerifyCommandOptions): Promise<void> {
  const { verificationKeys = [], attestation: attestations, signedName } = options
  const identities = identitiesOf(options)
  if (verificationKeys.length + identities.length === 0)
    throw new UsageError('verify needs --key FILE, or --certificate-identity with --certificate-oidc-issuer')
  const { loadVerificationKey, verifyImage } = await import('../../../trust/index.ts')
  const keys = verificationKeys.map(path => loadVerificationKey(readPem(path, '--key'), { label: path }))
  const trustedRoot = identities.length > 0 ? readTrustedRoot(options.trustedRoot) : undefined
  const { signal } = session
  const place = await openSigned(session, text)
  const name = signedName === '' ? false : signedName
  const found = await verifyImage(place, { keys, identities, trustedRoot, attestations, signedName: name, signal })
  for (const one of [...found.signatures, ...found.attestations]) session.note(describe(one))
  for (const reason of found.refused) session.note(`does not count: ${reason}`)
  for (const { at, type } of found.others) session.note(`not verified here: ${type}, ${at}`)
  session.result(found.digest, found)
}

async function openSigned(session: Session, text: string) {
  if (/^(oci|docker)-archive:/.test(text) || splitPlace(text).kind === 'oci') return openCopySource(session, text)
  return imageLocation(session, text)
}

function identitiesOf(options: VerifyCommandOptions): readonly CertificateIdentity[] {
  const identity = textOrPattern(options.certificateIdentity, options.certificateIdentityRegexp)
  const issuer = textOrPattern(options.certificateOidcIssuer, options.certificateOidcIssuerRegexp)
  if (identity === undefined && issuer === undefined) return []
  if (identity === undefined || issuer === undefined)
    throw new UsageError('--certificate-identity and --certificate-oidc-issuer (or …-regexp) need each other')
  return [{ identity, issuer }]
}

function textOrPattern(text: string | undefined, pattern: string | undefined): string | RegExp | undefined {
  if (pattern === undefined) return text
  try {
    return new RegExp(pattern)
  } catch {
    throw new UsageError(`${JSON.stringify(pattern)} is not a regular expression`)
  }
}

function describe({ by, at, predicateType }: VerifiedSignature): string {
  const signer = by.kind === 'key' ? by.label : `${by.identity} (${by.issuer})`
  return `${predicateType ?? 'signature'} by ${signer}: ${at}`
}
