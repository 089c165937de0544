import type { ConfigEdits, ConvertImageOptions, EditImageOptions, RunConfigMember } from '../../../image/index.ts'
import type { RunConfig } from '../../../oci/index.ts'
import { parseCreated } from '../../arguments/parse-created.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { pairsOf, type RunConfigOptions, runConfigOf } from './run-config.ts'

/** Options of `edit` that say what changes. */
export interface EditOptions extends RunConfigOptions {
  readonly stopSignal?: string
  readonly healthcheck?: string
  readonly unset?: readonly string[]
  readonly unsetEnv?: readonly string[]
  readonly unsetLabel?: readonly string[]
  readonly unsetPort?: readonly string[]
  readonly unsetVolume?: readonly string[]
  readonly annotation?: readonly string[]
  readonly unsetAnnotation?: readonly string[]
  readonly author?: string
  readonly created?: string
  readonly setPlatform?: string
  readonly platform?: string
  readonly dropLayer?: readonly string[]
  readonly squash?: string
  readonly flatten?: boolean
  readonly documents?: string
  readonly convert?: string
  readonly level?: string
}

/** The validated options. */
export interface Edits {
  /** False if nothing is to be changed. */
  readonly changes: boolean
  /** True if only documents or layers are converted. */
  readonly onlyConverts: boolean
  readonly image: Pick<EditImageOptions, 'config' | 'annotations' | 'author' | 'created' | 'platform'>
  readonly drop: readonly string[]
  readonly squash: string | undefined
  readonly convert: Pick<ConvertImageOptions, 'documents' | 'compression' | 'level'> | undefined
  readonly platform: string | undefined
}

/**
 * Parses the options before any work starts.
 *
 * @throws {@link UsageError}
 */
export function editsOf(options: EditOptions): Edits {
  const { dropLayer: drop = [], flatten, platform } = options
  if (flatten && options.squash !== undefined) throw new UsageError('--flatten means --squash all: give one of them')
  const squash = flatten ? 'all' : options.squash
  if (drop.length > 0 && squash !== undefined && squash !== 'all') {
    throw new UsageError('--drop-layer changes the numbers of --squash FROM..TO: edit twice')
  }
  const image = imageEdits(options)
  const convert = conversionOf(options)
  const editsImage = drop.length > 0 || squash !== undefined || Object.keys(image).length > 0
  const changes = editsImage || convert !== undefined
  return { changes, onlyConverts: changes && !editsImage, image, drop, squash, convert, platform }
}

function imageEdits(options: EditOptions): Edits['image'] {
  const { author, setPlatform, annotation = [], unsetAnnotation = [] } = options
  const config = configEdits(options)
  const removed = unsetAnnotation.map(name => [name, null] as const)
  const annotations = { ...pairsOf('--annotation', annotation), ...Object.fromEntries(removed) }
  return {
    ...(Object.keys(config).length > 0 ? { config } : {}),
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    ...(author === undefined ? {} : { author }),
    ...(options.created === undefined ? {} : { created: parseCreated(options.created) }),
    ...(setPlatform === undefined ? {} : { platform: setPlatform }),
  }
}

function configEdits(options: EditOptions): ConfigEdits {
  const set: RunConfig = {
    ...runConfigOf(options),
    ...(options.stopSignal === undefined ? {} : { StopSignal: options.stopSignal }),
    ...(options.healthcheck === undefined ? {} : { Healthcheck: { Test: healthTest(options.healthcheck) } }),
  }
  const { unset, unsetEnv, unsetLabel, unsetPort, unsetVolume } = options
  return {
    ...(Object.keys(set).length > 0 ? { set } : {}),
    ...(unset ? { remove: unset.map(memberOf) } : {}),
    ...(unsetEnv ? { removeEnv: unsetEnv } : {}),
    ...(unsetLabel ? { removeLabels: unsetLabel } : {}),
    ...(unsetPort ? { removePorts: unsetPort.map(port => (port.includes('/') ? port : `${port}/tcp`)) } : {}),
    ...(unsetVolume ? { removeVolumes: unsetVolume } : {}),
  }
}

/** SPEC: Docker's forms of a health check: NONE, CMD with arguments, CMD-SHELL with a line for the shell. */
function healthTest(text: string): readonly string[] {
  if (text.toLowerCase() === 'none') return ['NONE']
  if (!text.startsWith('[')) return ['CMD-SHELL', text]
  try {
    const args: unknown = JSON.parse(text)
    if (Array.isArray(args) && args.every(arg => typeof arg === 'string')) return ['CMD', ...args]
  } catch {
    // The error below names the option.
  }
  throw new UsageError(`--healthcheck takes none, a command line or a JSON array of strings; got ${text}`)
}

const MEMBERS: Readonly<Record<string, RunConfigMember>> = {
  user: 'User',
  entrypoint: 'Entrypoint',
  cmd: 'Cmd',
  workdir: 'WorkingDir',
  'stop-signal': 'StopSignal',
  healthcheck: 'Healthcheck',
  shell: 'Shell',
}

function memberOf(text: string): RunConfigMember {
  const member = Object.hasOwn(MEMBERS, text) ? MEMBERS[text] : undefined
  if (member) return member
  throw new UsageError(`--unset takes ${Object.keys(MEMBERS).join(', ')}; got ${JSON.stringify(text)}`)
}

function conversionOf({ documents, convert, level }: EditOptions): Edits['convert'] {
  if (documents !== undefined && documents !== 'oci' && documents !== 'docker') {
    throw new UsageError(`--documents takes oci or docker; got ${JSON.stringify(documents)}`)
  }
  if (convert !== undefined && convert !== 'gzip' && convert !== 'zstd' && convert !== 'none') {
    throw new UsageError(`--convert takes gzip, zstd or none; got ${JSON.stringify(convert)}`)
  }
  if (documents === undefined && convert === undefined) return undefined
  return { documents, compression: convert, level: level === undefined ? undefined : Number(level) }
}
