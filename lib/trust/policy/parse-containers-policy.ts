import { formatReference, parseReference, type Reference } from '../../oci/index.ts'
import type { TransferSource } from '../../transfer/index.ts'
import { formatRepository, parseRepository, repositoryOf } from '../sign/image-place.ts'
import type { VerificationKey } from '../sign/keys/verification-key.ts'
import type { PolicyReader } from './policy-reader.ts'
import type { PolicyRequirement, PolicyRule, RuleChoice } from './policy-rule.ts'

/**
 * Reads the `policy.json` of skopeo, podman and buildah, as far as it is about keys of sigstore. What it has besides
 * (`signedBy` with GPG keys, Fulcio, PKI) is refused by name, because leaving it out would allow more.
 *
 * @see
 * {@link https://github.com/containers/image/blob/main/docs/containers-policy.json.5.md | containers-policy.json(5)}
 */
export async function parseContainersPolicy(reader: PolicyReader, document: unknown): Promise<RuleChoice> {
  const policy = reader.object(document, '', ['default', 'transports'])
  const fallback = await parseRequirements(reader, policy.default, 'default')
  const transports = reader.object(policy.transports ?? {}, 'transports')
  const scopes = reader.object(transports.docker ?? {}, 'transports.docker')
  const rules = new Map<string, PolicyRule>()
  for (const [scope, value] of Object.entries(scopes)) {
    rules.set(scope, await parseRequirements(reader, value, `transports.docker[${JSON.stringify(scope)}]`))
  }
  return source => {
    // Rules of other transports are about paths of this machine, which sources do not tell.
    if (!source.repository) return fallback
    const scope = scopesOf(source).find(one => rules.has(one))
    return scope === undefined ? fallback : rules.get(scope)!
  }
}

/** SPEC: the full reference, the repository, its parents, the host, its parent domains with `*.`, the empty scope. */
function scopesOf(source: TransferSource): readonly string[] {
  const repository = formatRepository(source.repository!)
  const parts = repository.split('/')
  const parents = parts.map((_, i) => parts.slice(0, parts.length - i).join('/'))
  const labels = parts[0]!.split('.')
  const domains = labels.slice(1).map((_, i) => `*.${labels.slice(i + 1).join('.')}`)
  const reference = referenceOf(source)
  return [...(reference ? [formatReference(reference)] : []), ...parents, ...domains, '']
}

function referenceOf({ name, repository }: TransferSource): Reference | undefined {
  if (name === undefined || !repository) return undefined
  return parseReference(name)
}

async function parseRequirements(reader: PolicyReader, value: unknown, at: string): Promise<PolicyRule> {
  const list = reader.array(value, at)
  if (list.length === 0) reader.fail(at, 'it must list at least one requirement')
  const requirements: PolicyRequirement[] = []
  let isRejected = false
  for (const [i, one] of list.entries()) {
    const { type } = reader.object(one, `${at}[${i}]`)
    if (type === 'reject') isRejected = true
    else if (type === 'sigstoreSigned') requirements.push(await parseSigstore(reader, one, `${at}[${i}]`))
    else if (type !== 'insecureAcceptAnything')
      reader.fail(`${at}[${i}]`, `requirements of the type ${JSON.stringify(type)} are not supported`)
  }
  if (isRejected) return { kind: 'reject' }
  return requirements.length === 0 ? { kind: 'accept' } : { kind: 'require', requirements }
}

const SIGSTORE_MEMBERS = ['type', 'keyPath', 'keyPaths', 'keyData', 'keyDatas', 'signedIdentity']

async function parseSigstore(reader: PolicyReader, value: unknown, at: string): Promise<PolicyRequirement> {
  const one = reader.object(value, at, SIGSTORE_MEMBERS)
  const paths = one.keyPath === undefined ? (one.keyPaths ?? []) : [one.keyPath]
  const data = one.keyData === undefined ? (one.keyDatas ?? []) : [one.keyData]
  const keys: VerificationKey[] = []
  for (const path of reader.array(paths, `${at}.keyPaths`)) keys.push(await reader.key(path, `${at}.keyPath`))
  for (const text of reader.array(data, `${at}.keyDatas`)) {
    keys.push(reader.keyOf(Buffer.from(reader.text(text, `${at}.keyData`), 'base64'), `${at}.keyData`))
  }
  if (keys.length === 0) reader.fail(at, 'it must have keyPath, keyPaths, keyData or keyDatas')
  const nameRule = parseIdentity(
    reader,
    one.signedIdentity ?? { type: 'matchRepoDigestOrExact' },
    `${at}.signedIdentity`,
  )
  return { keys, identities: [], threshold: 1, attestations: [], nameRule }
}

type NameRule = PolicyRequirement['nameRule']

/** SPEC: signedIdentity decides which signed names count. A bundle without a name counts for none. */
function parseIdentity(reader: PolicyReader, value: unknown, at: string): NameRule {
  const one = reader.object(value, at)
  const members: Record<string, readonly string[]> = {
    matchExact: [],
    matchRepoDigestOrExact: [],
    matchRepository: [],
    exactReference: ['dockerReference'],
    exactRepository: ['dockerRepository'],
    remapIdentity: ['prefix', 'signedPrefix'],
  }
  const type = reader.text(one.type, `${at}.type`)
  if (!Object.hasOwn(members, type)) return reader.fail(at, `the type ${JSON.stringify(type)} is unknown`)
  reader.object(value, at, ['type', ...members[type]!])
  const [first, second] = members[type]!.map(name => reader.text(one[name], `${at}.${name}`))
  if (type === 'exactReference') return () => name => isReference(name, first!)
  if (type === 'exactRepository') return () => name => isRepository(name, first!)
  if (type === 'matchRepository') return source => name => isRepository(name, repositoryText(source))
  if (type === 'remapIdentity') return source => name => isOwn(name, source, remapped(first!, second!))
  if (type === 'matchExact') return source => name => isReference(name, referenceText(source))
  return source => name => isOwn(name, source, text => text)
}

/** The exact reference of an image that is taken by a tag; the repository of one that is taken by its digest. */
function isOwn(name: string | undefined, source: TransferSource, map: (text: string) => string): boolean {
  const byDigest = referenceOf(source)?.digest !== undefined
  return byDigest ? isRepository(name, map(repositoryText(source))) : isReference(name, map(referenceText(source)))
}

function remapped(prefix: string, signedPrefix: string): (text: string) => string {
  return text => {
    const isBelow = text === prefix || (text.startsWith(prefix) && /^[/:@]/.test(text.slice(prefix.length)))
    return isBelow ? `${signedPrefix}${text.slice(prefix.length)}` : text
  }
}

/** The repository of an image; empty for a tag of a layout, which has none, and no signed name equals that. */
function repositoryText(source: TransferSource): string {
  const repository = repositoryOf(source)
  return repository ? formatRepository(repository) : ''
}

function referenceText(source: TransferSource): string {
  const reference = referenceOf(source)
  return reference ? formatReference(reference) : ''
}

function isRepository(name: string | undefined, wanted: string): boolean {
  const [a, b] = [name === undefined ? undefined : parseRepository(name), parseRepository(wanted)]
  return a !== undefined && b !== undefined && formatRepository(a) === formatRepository(b)
}

/** SPEC: a name without a tag equals no reference with one: `latest` is not added. */
function isReference(name: string | undefined, wanted: string): boolean {
  if (name === undefined || wanted === '') return false
  const isWhole = (text: string) => /[:@]/.test(text.slice(text.lastIndexOf('/') + 1))
  if (!isWhole(name) || !isWhole(wanted)) return false
  try {
    return formatReference(parseReference(name)) === formatReference(parseReference(wanted))
  } catch {
    return false
  }
}
