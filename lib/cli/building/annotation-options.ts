import type { BuildImageOptions } from '../../build/index.ts'
import { UsageError } from '../failing/usage-error.ts'

/** Annotations of a build, by the place that they go to. */
export type ChosenAnnotations = Pick<
  BuildImageOptions,
  'annotations' | 'indexAnnotations' | 'indexDescriptorAnnotations' | 'descriptorAnnotations'
>

const TYPES = ['manifest', 'index', 'manifest-descriptor', 'index-descriptor'] as const
type Type = (typeof TYPES)[number]

interface Annotation {
  readonly type: Type
  readonly platform: string | undefined
  readonly name: string
  readonly value: string
}

/**
 * Annotations of `--annotation [TYPE[,TYPE][[PLATFORM]]:]NAME=VALUE`, as docker has them; the type is `manifest`,
 * `index`, `manifest-descriptor` or `index-descriptor`.
 *
 * @param common - Further annotations of every manifest.
 */
export async function annotationsOf(
  options: readonly string[] = [],
  common: Readonly<Record<string, string>> = {},
): Promise<ChosenAnnotations> {
  const { formatPlatform, parsePlatform } = await import('../../oci/index.ts')
  const normal = (platform: string) => formatPlatform(parsePlatform(platform))
  const all = options.flatMap(annotationsIn).map(one => ({ ...one, platform: one.platform && normal(one.platform) }))
  const ofType = (type: Type) => (platform: string) => {
    const own = all.filter(one => one.type === type && (one.platform ?? platform) === platform)
    return Object.fromEntries(own.map(({ name, value }) => [name, value]))
  }
  const manifests = ofType('manifest')
  const index = ofType('index')('')
  const indexDescriptor = ofType('index-descriptor')('')
  const hasDescriptors = all.some(({ type }) => type === 'manifest-descriptor')
  return {
    annotations: platform => ({ ...common, ...manifests(platform) }),
    ...(Object.keys(index).length > 0 && { indexAnnotations: index }),
    ...(Object.keys(indexDescriptor).length > 0 && { indexDescriptorAnnotations: indexDescriptor }),
    ...(hasDescriptors && { descriptorAnnotations: ofType('manifest-descriptor') }),
  }
}

function annotationsIn(option: string): Annotation[] {
  const [, types, platform, rest] = /^([a-z-]+(?:,[a-z-]+)*)(?:\[([^\]]*)\])?:(.*)$/s.exec(option) ?? []
  const names = types?.split(',') ?? []
  const isTyped = names.length > 0 && names.every(name => TYPES.includes(name as Type))
  const pair = isTyped ? rest! : option
  const equals = pair.indexOf('=')
  const name = equals < 0 ? pair : pair.slice(0, equals)
  if (name === '') throw new UsageError(`--annotation takes [TYPE:]NAME=VALUE, not ${JSON.stringify(option)}`)
  const value = equals < 0 ? '' : pair.slice(equals + 1)
  if (!isTyped) return [{ type: 'manifest', platform: undefined, name, value }]
  return (names as Type[]).map(type => {
    if (type.startsWith('index') && platform !== undefined) {
      throw new UsageError(`--annotation ${option}: an index has no platform`)
    }
    return { type, platform, name, value }
  })
}
