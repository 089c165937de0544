import { formatRepository, parseRepository, repositoryOf } from '../sign/image-place.ts'
import { type CertificateVerifier, loadCertificateVerifier } from '../verify/load-certificate-verifier.ts'
import { nameRule } from '../verify/name-rule.ts'
import type { CertificateIdentity } from '../verify/trust-base.ts'
import type { PolicyReader } from './policy-reader.ts'
import type { PolicyRequirement, PolicyRule, RuleChoice } from './policy-rule.ts'

const MEMBERS = ['keys', 'identities', 'trustedRoot', 'threshold', 'attestations', 'signedName']

/** Reads a policy of this library; see the README of the room. */
export async function parsePolicy(reader: PolicyReader, document: unknown): Promise<RuleChoice> {
  const policy = reader.object(document, '', ['version', 'default', 'repositories'])
  if (policy.version !== 1) reader.fail('version', 'it must be 1')
  const fallback = await parseRule(reader, policy.default, 'default')
  const rules = new Map<string, PolicyRule>()
  for (const [scope, value] of Object.entries(reader.object(policy.repositories ?? {}, 'repositories'))) {
    const at = `repositories[${JSON.stringify(scope)}]`
    checkScope(reader, scope, at)
    rules.set(scope, await parseRule(reader, value, at))
  }
  return ({ repository }) => {
    // SAFETY: the maker of an archive or a layout chooses the names in it, so these select no rule.
    const scope = repository && scopesOf(formatRepository(repository)).find(one => rules.has(one))
    return scope === undefined ? fallback : rules.get(scope)!
  }
}

/** The scopes that a repository is in, the narrowest first. */
function scopesOf(repository: string): readonly string[] {
  const parts = repository.split('/')
  return [repository, ...parts.slice(1).map((_, i) => `${parts.slice(0, parts.length - 1 - i).join('/')}/*`)]
}

/** SAFETY: a scope that no repository can be in would be a rule that never applies. */
function checkScope(reader: PolicyReader, scope: string, at: string): void {
  const sample = scope.endsWith('/*') ? `${scope.slice(0, -2)}/x` : scope
  const repository = parseRepository(sample)
  const isWhole = repository !== undefined && formatRepository(repository) === sample
  if (!isWhole) reader.fail(at, 'it must be REGISTRY/REPOSITORY, such as docker.io/library/node, or end in /*')
}

async function parseRule(reader: PolicyReader, value: unknown, at: string): Promise<PolicyRule> {
  if (value === 'accept' || value === 'reject') return { kind: value }
  if (typeof value !== 'object') return reader.fail(at, 'it must be "accept", "reject" or a requirement')
  const rule = reader.object(value, at, MEMBERS)
  const keys = await Promise.all(
    reader.array(rule.keys ?? [], `${at}.keys`).map((key, i) => reader.key(key, `${at}.keys[${i}]`)),
  )
  const identities = reader
    .array(rule.identities ?? [], `${at}.identities`)
    .map((one, i) => parseIdentity(reader, one, `${at}.identities[${i}]`))
  if (keys.length + identities.length === 0) reader.fail(at, 'it must name keys or identities')
  const certificates = identities.length > 0 ? await certificatesOf(reader, rule.trustedRoot, at) : undefined
  const { threshold = 1, signedName } = rule
  const isCount = Number.isInteger(threshold) && (threshold as number) >= 1
  if (!isCount || (threshold as number) > keys.length + identities.length)
    reader.fail(`${at}.threshold`, 'it must be a number from 1 to that of keys and identities')
  if (signedName !== undefined && signedName !== false) reader.text(signedName, `${at}.signedName`)
  const attestations = reader
    .array(rule.attestations ?? [], `${at}.attestations`)
    .map((type, i) => reader.text(type, `${at}.attestations[${i}]`))
  const requirement: PolicyRequirement = {
    keys,
    identities,
    certificates,
    threshold: threshold as number,
    attestations,
    nameRule: source => nameRule(repositoryOf(source), signedName as string | false | undefined),
  }
  return { kind: 'require', requirements: [requirement] }
}

function parseIdentity(reader: PolicyReader, value: unknown, at: string): CertificateIdentity {
  const members = ['identity', 'identityPattern', 'issuer', 'issuerPattern']
  const one = reader.object(value, at, members)
  return { identity: textOrPattern(reader, one, 'identity', at), issuer: textOrPattern(reader, one, 'issuer', at) }
}

function textOrPattern(reader: PolicyReader, one: Record<string, unknown>, name: string, at: string): string | RegExp {
  const pattern = one[`${name}Pattern`]
  if ((one[name] === undefined) === (pattern === undefined))
    return reader.fail(at, `it must have one of ${name} and ${name}Pattern`)
  if (pattern === undefined) return reader.text(one[name], `${at}.${name}`)
  try {
    return new RegExp(reader.text(pattern, `${at}.${name}Pattern`))
  } catch (cause) {
    return reader.fail(`${at}.${name}Pattern`, 'it is no regular expression', { cause })
  }
}

async function certificatesOf(reader: PolicyReader, value: unknown, at: string): Promise<CertificateVerifier> {
  const path = reader.text(value, `${at}.trustedRoot`)
  return loadCertificateVerifier(await reader.json(path, `${at}.trustedRoot`))
}
