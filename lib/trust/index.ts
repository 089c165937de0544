export type { Advisory, AffectedPackage, RangeEvent, Severity } from './advisories/advisory.ts'
export { diffPackages, type PackageChange, type PackagesDiff } from './advisories/diff-packages.ts'
export { type AdvisoryMatch, type MatchAdvisoriesOptions, matchAdvisories } from './advisories/match-advisories.ts'
export { readAdvisories } from './advisories/read-advisories.ts'
export { uncheckedPackages } from './advisories/unchecked-packages.ts'
export { attestationArtifact, putAttestations } from './attest/attestation-manifest.ts'
export { type FindAttestationsOptions, type FoundAttestation, findAttestations } from './attest/find-attestations.ts'
export { type ImageStatement, makeStatement, PredicateType, type StatementOptions } from './attest/statement.ts'
export { type ImagePolicy, loadPolicy } from './policy/load-policy.ts'
export type { FoundPackage, OsRelease, PackageList, PackageType, UnreadPackages } from './sbom/package-list.ts'
export { type ReadPackagesOptions, readPackages } from './sbom/read-packages.ts'
export { type SbomOptions, toCycloneDx } from './sbom/to-cyclonedx.ts'
export { toSpdx } from './sbom/to-spdx.ts'
export type { SignedPlace } from './sign/image-place.ts'
export {
  type GeneratedKeys,
  type GenerateSigningKeysOptions,
  generateSigningKeys,
} from './sign/keys/generate-signing-keys.ts'
export type { KeyAlgorithm } from './sign/keys/key-algorithm.ts'
export { type LoadSigningKeyOptions, loadSigningKey, type SigningKey } from './sign/keys/signing-key.ts'
export {
  type LoadVerificationKeyOptions,
  loadVerificationKey,
  type VerificationKey,
} from './sign/keys/verification-key.ts'
export { type SignatureLocation, type SignedImage, type SignImageOptions, signImage } from './sign/sign-image.ts'
export type { OtherSignature } from './verify/gather-evidence.ts'
export type { CertificateIdentity, SignedBy, VerifiedSignature } from './verify/trust-base.ts'
export { type VerifiedImage, type VerifyImageOptions, verifyImage } from './verify/verify-image.ts'
