import { once } from 'node:events'
import type { BuildImageOptions, OutputPlace } from '../../build/index.ts'
import { fieldsOf } from '../arguments/fields-of.ts'
import { notEmpty } from '../arguments/not-empty.ts'
import { UsageError } from '../failing/usage-error.ts'
import type { Session } from '../session/session.ts'

/** Outputs of a build that `--output`, `--push` and `--tag` select. */
export interface ChosenOutputs
  extends Pick<BuildImageOptions, 'names' | 'push' | 'archive' | 'directory' | 'tar' | 'compression' | 'level'> {
  /** Annotations of every manifest. */
  readonly annotations: Readonly<Record<string, string>>
  /** True if an output goes to stdout, where the digest of the image would be printed. */
  readonly toStdout: boolean
}

/** Options that name outputs. */
export interface OutputOptions {
  readonly tag?: readonly string[]
  readonly push?: boolean
  readonly output?: readonly string[]
}

const FIELDS = ['type', 'dest', 'name', 'push', 'tar', 'compression', 'compression-level', 'annotation.']
/** Fields of docker whose default here is what they ask for. */
const FULFILLED = ['oci-mediatypes', 'rewrite-timestamp', 'force-compression', 'unpack', 'store']

interface Chosen {
  names: string[]
  push: string[]
  archive: NonNullable<Extract<BuildImageOptions['archive'], readonly unknown[]>>[number][]
  directory: string[]
  tar: OutputPlace[]
  compression?: BuildImageOptions['compression']
  level?: number
  annotations: Record<string, string>
}

/**
 * Outputs of `--output`: `DIR`, `-`, `type=local|tar|oci|docker|image|registry|cacheonly`, with `dest=`, `name=`,
 * `push=`, `compression=`, `compression-level=`, `annotation.KEY=`, as docker has them. It may be repeated.
 */
export function outputsOf(session: Session, { tag = [], push = false, output = [] }: OutputOptions): ChosenOutputs {
  const chosen: Chosen = {
    names: [...tag],
    push: push ? [...tag] : [],
    archive: [],
    directory: [],
    tar: [],
    annotations: {},
  }
  if (push && tag.length === 0) throw new UsageError('--push needs a name for the image: -t NAME')
  let toStdout = false
  const placeOf = (dest: string | undefined): OutputPlace => {
    if (dest !== undefined && dest !== '' && dest !== '-') return dest
    if (toStdout) throw new UsageError('only one --output can go to stdout')
    toStdout = true
    return stdoutOf(session)
  }
  for (const option of output) addOutput(option, chosen, placeOf)
  return { ...chosen, names: unique(chosen.names), push: unique(chosen.push), toStdout }
}

function addOutput(option: string, chosen: Chosen, placeOf: (dest: string | undefined) => OutputPlace): void {
  notEmpty(option, 'the place of --output')
  // As in docker: a text without fields is a directory, a dash an archive of the files on stdout.
  const short = /^[^,=]*$/.test(option) || !/(^|,)"?type=/i.test(option)
  if (short && option.includes('=')) throw new UsageError(`--output needs a type: type=local,${option}`)
  const text = !short ? option : option === '-' ? 'type=tar' : `type=local,"dest=${option.replaceAll('"', '""')}"`
  const fields = fieldsOf('--output', text, [...FIELDS, ...FULFILLED])
  for (const name of FULFILLED) refuseOff(name, fields.get(name))
  const [type, dest] = [fields.get('type'), fields.get('dest')]
  settings(fields, chosen)
  const own = fields.get('name')?.split(',').filter(Boolean) ?? []
  switch (type) {
    case 'local':
      if (!dest || dest === '-') throw new UsageError('--output type=local takes a directory: type=local,dest=DIR')
      chosen.directory.push(dest)
      return
    case 'tar':
      chosen.tar.push(placeOf(dest))
      return
    case 'oci':
    case 'docker':
      if (fields.get('tar') === 'false')
        throw new UsageError(
          '--output tar=false: for a layout write -t NAME, then "layerstore copy store:NAME oci:DIR"',
        )
      chosen.names.push(...own)
      // Without a file docker loads the image into its own store, which is this one.
      if (type === 'oci' || dest !== undefined) chosen.archive.push({ path: placeOf(dest), format: type })
      return
    case 'image':
    case 'registry': {
      const names = own.length > 0 ? own : chosen.names
      if (names.length === 0) throw new UsageError(`--output type=${type} needs a name: name=NAME or -t NAME`)
      chosen.names.push(...own)
      if (type === 'registry' || isOn(fields.get('push'))) chosen.push.push(...names)
      return
    }
    case 'cacheonly':
      return
    default:
      throw new UsageError(`--output takes type=local, tar, oci, docker, image, registry or cacheonly, not ${type}`)
  }
}

const COMPRESSIONS: Readonly<Record<string, NonNullable<BuildImageOptions['compression']>>> = {
  gzip: 'gzip',
  zstd: 'zstd',
  uncompressed: 'none',
}

function settings(fields: ReadonlyMap<string, string>, chosen: Chosen): void {
  const [compression, level] = [fields.get('compression'), fields.get('compression-level')]
  if (compression !== undefined) {
    if (!Object.hasOwn(COMPRESSIONS, compression)) {
      throw new UsageError(`--output compression takes ${Object.keys(COMPRESSIONS).join(', ')}, not ${compression}`)
    }
    chosen.compression = COMPRESSIONS[compression]!
  }
  if (level !== undefined) {
    if (!/^\d{1,2}$/.test(level)) throw new UsageError(`--output compression-level takes a whole number, not ${level}`)
    chosen.level = Number(level)
  }
  for (const [name, value] of fields) {
    if (name.startsWith('annotation.')) chosen.annotations[name.slice('annotation.'.length)] = value
  }
}

function refuseOff(name: string, value: string | undefined): void {
  if (value !== undefined && !isOn(value)) throw new UsageError(`--output ${name}=${value} is not supported`)
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && /^(?:1|t|true)$/i.test(value)
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)]
}

function stdoutOf(session: Session): OutputPlace {
  const { stdout } = session.terminal
  if (session.json) throw new UsageError('an archive on stdout leaves no place for --json: give a file, dest=FILE')
  if (stdout.isTTY) throw new UsageError('an archive is not written to a terminal: give a file, dest=FILE, or redirect')
  return async bytes => {
    for await (const chunk of bytes) {
      if (!stdout.write(chunk)) await once(stdout, 'drain', { signal: session.signal })
    }
  }
}
