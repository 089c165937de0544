import type { Digest } from '../../digest/index.ts'
import type { RemoteSource, Stage } from '../../dockerfile/index.ts'
import { withoutSecrets } from '../../internal/without-credentials.ts'
import type { ImagePlan } from '../build-plan.ts'
import { dockerReferenceUrl } from './docker-reference-url.ts'
import type { ProvenanceOptions } from './provenance-options.ts'
import { publicArgument } from './public-argument.ts'

/** Input of a provenance besides its options. */
export interface ProvenanceInput {
  readonly image: ImagePlan
  /** Digest of each file that ADD downloaded, and commit of each repository. */
  readonly fetched?: ReadonlyMap<RemoteSource, string> | undefined
  /** Digest of the context, if the build has one. */
  readonly context?: Digest | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  /** Times of the build, RFC 3339. */
  readonly startedOn: string
  readonly finishedOn: string
}

/** BuildKit's definition of the members below `buildDefinition`. */
const BUILD_TYPE = 'https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md'
const BUILDER = 'pkg:npm/layerstore'

/** A material. */
interface Material {
  readonly uri: string
  readonly digest?: Readonly<Record<string, string>> | undefined
}

/**
 * Makes the predicate of a SLSA provenance of version 1, with the members of BuildKit's.
 *
 * SAFETY: a provenance is published. Secrets of mounts are named by their ids; arguments that seem to be secrets, and
 * passwords in addresses, are replaced.
 *
 * @see {@link https://slsa.dev/spec/v1.0/provenance | SLSA: provenance}
 */
export function makeProvenance(input: ProvenanceInput, options: ProvenanceOptions): Record<string, unknown> {
  const { image, startedOn, finishedOn } = input
  const { mode = 'min', builderId = BUILDER, source } = options
  const materials = materialsOf(input)
  const secrets = secretsOf(image.stages)
  return {
    buildDefinition: {
      buildType: BUILD_TYPE,
      externalParameters: {
        configSource: {
          ...(source === undefined ? {} : { uri: withoutSecrets(source, '') }),
          ...(image.file === undefined ? {} : { path: image.file }),
        },
        request: {
          frontend: image.file === undefined ? 'layerstore.script' : 'dockerfile.v0',
          ...(mode === 'max' ? { args: argsOf(input, options) } : {}),
          ...(secrets.secrets.length > 0 ? { secrets: secrets.secrets } : {}),
          ...(secrets.ssh.length > 0 ? { ssh: secrets.ssh } : {}),
          ...(input.context ? { locals: [{ name: 'context' }, { name: 'dockerfile' }] } : {}),
        },
      },
      internalParameters: { builderPlatform: image.platform },
      resolvedDependencies: materials,
    },
    runDetails: {
      builder: { id: builderId },
      metadata: {
        startedOn,
        finishedOn,
        buildkit_completeness: {
          request: mode === 'max',
          resolvedDependencies: materials.every(({ digest }) => digest !== undefined) && isHermetic(image.stages),
        },
      },
    },
  }
}

/** Arguments under the names that BuildKit gives them. */
function argsOf({ labels = {} }: ProvenanceInput, { buildArgs = {}, target }: ProvenanceOptions) {
  const args: Record<string, string> = target === undefined ? {} : { target }
  for (const [name, value = ''] of Object.entries(buildArgs)) args[`build-arg:${name}`] = publicArgument(name, value)
  for (const [name, value] of Object.entries(labels)) args[`label:${name}`] = withoutSecrets(value, 'xxxxx:xxxxx@')
  return args
}

/** Sources that ADD downloads. */
export function remotesOf(stages: readonly Stage[]): readonly RemoteSource[] {
  const steps = stages.flatMap(({ steps }) => steps)
  return steps.flatMap(step => (step.kind === 'copy' || step.kind === 'fetch' ? step.remotes : []))
}

/** Bases by their digests, files that ADD downloads, and the context. */
function materialsOf({ image, context, fetched = new Map() }: ProvenanceInput): Material[] {
  // BuildKit names the digest that the reference leads to, which for most images is that of an index.
  const bases = image.bases.map(({ reference, platform, digest, index }) => ({
    uri: dockerReferenceUrl(reference, platform, index ?? digest),
    digest: digestSet(index ?? digest),
  }))
  const files = remotesOf(image.stages).map(remote => {
    const fixed = fetched.get(remote) ?? remote.checksum
    return { uri: addressOf(remote), ...(fixed ? { digest: fixedBy(fixed) } : {}) }
  })
  // The digest is over the list of entries of the context, and not that of a file: it has a name of its own.
  const local = context ? [{ uri: 'context', digest: { layerstoreContext: hexOf(context) } }] : []
  const all = [...bases, ...files, ...local]
  return [...new Map(all.map(each => [JSON.stringify(each), each])).values()]
}

function addressOf(remote: RemoteSource): string {
  if ('url' in remote) return withoutSecrets(remote.url, '')
  return `${withoutSecrets(remote.git, '')}${remote.ref === undefined ? '' : `#${remote.ref}`}`
}

/** BuildKit names a commit `sha1`, SLSA names it `gitCommit`. */
function fixedBy(text: string): Record<string, string> {
  if (text.includes(':')) return digestSet(text)
  return { ...(text.length === 40 ? { sha1: text } : {}), gitCommit: text }
}

function digestSet(digest: string): Record<string, string> {
  return { [digest.slice(0, digest.indexOf(':'))]: hexOf(digest) }
}

function hexOf(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1)
}

/** Ids of the secrets and agents that RUN mounts. */
function secretsOf(stages: readonly Stage[]) {
  const mounts = stages.flatMap(({ steps }) => steps.flatMap(step => (step.kind === 'run' ? step.mounts : [])))
  const ids = (type: string) => {
    const found = mounts.flatMap(mount => (mount.type === type && 'id' in mount && mount.id ? [mount.id] : []))
    return [...new Set(found)].sort().map(id => ({ id }))
  }
  return { secrets: ids('secret'), ssh: ids('ssh') }
}

/** True if no step could reach a network. */
function isHermetic(stages: readonly Stage[]): boolean {
  return stages.every(({ steps }) => steps.every(step => step.kind !== 'run' || step.network === 'none'))
}
