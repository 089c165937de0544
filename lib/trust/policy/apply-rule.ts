import type { Digest } from '../../digest/index.ts'
import { TrustError } from '../../errors/index.ts'
import { isIndexType, Limits } from '../../oci/index.ts'
import type { ImageToVerify } from '../../transfer/index.ts'
import { describeOther, gatherEvidence } from '../verify/gather-evidence.ts'
import type { VerifiedSignature } from '../verify/trust-base.ts'
import { countSigners } from './count-signers.ts'
import { holdsDocuments } from './is-attached.ts'
import type { PolicyRequirement, PolicyRule } from './policy-rule.ts'

/**
 * Applies the rule of a policy to an image: to the index that it is from, then to the image itself, then to what gets
 * tags beside it.
 *
 * SAFETY: every user with push rights can set the tag `sha256-….sig`. An image of files under it would get a name at
 * the target without a signature, and could be run there.
 *
 * @throws {@link TrustError} `ERR_POLICY_REFUSED`.
 */
export async function applyRule(rule: PolicyRule, image: ImageToVerify, file: string): Promise<void> {
  if (rule.kind === 'accept') return
  const { source, root } = image
  const refuse = (reasons: readonly string[]) => {
    const message = `the policy ${file} does not allow ${source.label} (${root.digest})`
    return new TrustError('ERR_POLICY_REFUSED', message, { digest: root.digest, reasons })
  }
  if (rule.kind === 'reject') throw refuse(['it is rejected'])
  const subjects = await subjectsOf(image)
  for (const requirement of rule.requirements) {
    const reasons: string[] = []
    let holds = false
    for (const subject of subjects) {
      const missing = await missingOf(requirement, subject, image)
      holds = missing.length === 0
      if (holds) break
      reasons.push(...missing)
    }
    if (!holds) throw refuse([...new Set(reasons)])
  }
  for (const { digest } of image.attached ?? []) {
    if (!(await holdsDocuments(image, digest)))
      throw refuse([`${digest} would get a tag beside it, and holds more than signatures, attestations or SBOMs`])
  }
}

/**
 * The digests one of which has to be signed. SAFETY: a stored plan states its index, and a signed index says nothing
 * about a root that is not in it; the index is therefore read, and the root looked for in it.
 */
async function subjectsOf(image: ImageToVerify): Promise<readonly Digest[]> {
  const { index, root } = image
  if (index === undefined || index === root.digest) return [root.digest]
  return (await isCovered(image, index)) ? [index, root.digest] : [root.digest]
}

/** Returns whether an index lists the root; or, if the root is an index made of some of its images, all of these. */
async function isCovered(image: ImageToVerify, index: Digest): Promise<boolean> {
  const listed = await digestsBelow(image, index, 0)
  if (listed.has(image.root.digest)) return true
  const root = await image.read(image.root.digest)
  return root.kind === 'index' && root.index.manifests.every(({ digest }) => listed.has(digest))
}

async function digestsBelow(image: ImageToVerify, digest: Digest, depth: number): Promise<Set<Digest>> {
  const document = await image.read(digest)
  if (document.kind !== 'index') return new Set()
  const found = new Set(document.index.manifests.map(entry => entry.digest))
  // An index in an index is rare, and its digest was listed by what is signed.
  const nested = document.index.manifests.filter(({ mediaType }) => isIndexType(mediaType))
  if (found.has(image.root.digest) || depth >= Limits.indexDepth) return found
  for (const entry of nested) for (const one of await digestsBelow(image, entry.digest, depth + 1)) found.add(one)
  return found
}

/** Returns what an image lacks; nothing if the requirement holds. */
async function missingOf(requirement: PolicyRequirement, subject: Digest, image: ImageToVerify): Promise<string[]> {
  const { keys, identities, certificates, attestations, nameRule } = requirement
  const { source, signal } = image
  const trust = { keys, identities, certificates, acceptsName: nameRule(source) }
  const isEnough = (verified: readonly VerifiedSignature[]) => lacking(requirement, verified).length === 0
  const evidence = await gatherEvidence(source, subject, trust, { attestations, signal, isEnough })
  const missing = lacking(requirement, evidence.verified)
  if (missing.length === 0) return []
  const others = evidence.others.map(other => `not verified here: ${describeOther(other)}`)
  return [...missing, ...evidence.refused, ...others]
}

function lacking(
  { threshold, attestations, keys, identities }: PolicyRequirement,
  verified: readonly VerifiedSignature[],
) {
  const signatures = verified.filter(({ predicateType }) => predicateType === undefined)
  const signers = countSigners(
    { keys, identities },
    signatures.map(({ by }) => by),
  )
  const names = [...keys.map(({ label }) => label), ...identities.map(({ identity }) => `${identity}`)].join(', ')
  const count = threshold > 1 ? `signatures by ${threshold} of ${names} (${signers} found)` : `a signature by ${names}`
  return [
    ...(signers >= threshold ? [] : [`missing: ${count}`]),
    ...attestations
      .filter(type => verified.every(({ predicateType }) => predicateType !== type))
      .map(type => `missing: an attestation ${type} by ${names}`),
  ]
}
