import type { EntryPolicies, FromDirectoryOptions, OwnerPolicy, WriteLayerOptions } from '../../../layer/index.ts'
import { parseTime } from '../../arguments/parse-time.ts'
import { fileFault } from '../../failing/file-fault.ts'
import { UsageError } from '../../failing/usage-error.ts'

/** Options of `append` that set how a directory becomes a layer. */
export interface WritingOptions {
  readonly compression?: string
  readonly level?: string
  readonly mtime?: string
  readonly owner?: string
  readonly mapUid?: readonly string[]
  readonly mapGid?: readonly string[]
  readonly mode?: string
  readonly ignore?: readonly string[]
  readonly ignoreFile?: string
  readonly hardLinks?: string
  readonly xattrs?: boolean
  readonly parents?: boolean
}

/** The options in the form that the library takes. */
export interface WritingPolicies {
  readonly entries: FromDirectoryOptions
  readonly layer: Pick<WriteLayerOptions, 'compression' | 'level'>
}

/** Parses and validates the options before any work starts. */
export async function writingPolicies(options: WritingOptions): Promise<WritingPolicies> {
  const { hardLinks = 'keep', xattrs, parents } = options
  if (hardLinks !== 'keep' && hardLinks !== 'copy') {
    throw new UsageError(`--hard-links takes keep or copy; got ${JSON.stringify(hardLinks)}`)
  }
  const layer = { compression: compressionOf(options.compression), level: levelOf(options.level) }
  const policies = { mtime: mtimeOf(options.mtime), mode: modeOf(options.mode), ...ownersOf(options) }
  return { layer, entries: { ...policies, hardLinks, xattrs, parents, ignore: await patternsOf(options) } }
}

/** Parses a compression name. */
export function compressionOf(text = 'gzip'): 'gzip' | 'zstd' | 'none' {
  if (text === 'gzip' || text === 'zstd' || text === 'none') return text
  throw new UsageError(`--compression takes gzip, zstd or none; got ${JSON.stringify(text)}`)
}

function levelOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,2}$/.test(text)) throw new UsageError(`--level takes a number; got ${JSON.stringify(text)}`)
  return Number(text)
}

function mtimeOf(text: string | undefined): EntryPolicies['mtime'] {
  if (text === undefined || text === 'source' || text === 'clamp') return text
  return text.startsWith('clamp:') ? { notAfter: secondsOf(text.slice('clamp:'.length)) } : secondsOf(text)
}

function secondsOf(text: string): number {
  const seconds = parseTime(text)
  if (seconds !== undefined) return seconds
  throw new UsageError(`--mtime takes seconds, a date, source, clamp or clamp:TIME; got ${JSON.stringify(text)}`)
}

function ownersOf({ owner, mapUid, mapGid }: WritingOptions): { uid?: OwnerPolicy; gid?: OwnerPolicy } {
  if (owner !== undefined && (mapUid || mapGid))
    throw new UsageError('--owner and --map-uid, --map-gid exclude each other')
  if (mapUid || mapGid) return { uid: mapOf('--map-uid', mapUid ?? []), gid: mapOf('--map-gid', mapGid ?? []) }
  if (owner === undefined) return {}
  if (owner === 'source') return { uid: 'source', gid: 'source' }
  const [, uid, gid = uid] = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(owner) ?? []
  if (uid === undefined) throw new UsageError(`--owner takes UID, UID:GID or source; got ${JSON.stringify(owner)}`)
  return { uid: Number(uid), gid: Number(gid) }
}

function mapOf(option: string, pairs: readonly string[]): OwnerPolicy {
  const ids = new Map<number, number>()
  for (const pair of pairs) {
    const [, from, to] = /^(\d{1,10})=(\d{1,10})$/.exec(pair) ?? []
    if (from === undefined) throw new UsageError(`${option} takes FROM=TO, two numbers; got ${JSON.stringify(pair)}`)
    ids.set(Number(from), Number(to))
  }
  return id => ids.get(id) ?? id
}

function modeOf(text = 'normal'): EntryPolicies['mode'] {
  if (text === 'normal' || text === 'source') return text
  const [, files, directories = files] = /^([0-7]{1,5})(?::([0-7]{1,5}))?$/.exec(text) ?? []
  if (files !== undefined && directories !== undefined) {
    return { files: Number.parseInt(files, 8), directories: Number.parseInt(directories, 8) }
  }
  throw new UsageError(`--mode takes normal, source, 0640 or 0640:0750; got ${JSON.stringify(text)}`)
}

async function patternsOf({ ignore = [], ignoreFile }: WritingOptions): Promise<readonly string[]> {
  if (ignoreFile === undefined) return ignore
  const { readFile } = await import('node:fs/promises')
  const { parseIgnoreFile } = await import('../../../layer/index.ts')
  const text = await readFile(ignoreFile, 'utf8').catch(cause => {
    throw fileFault('--ignore-file', ignoreFile, cause)
  })
  return [...parseIgnoreFile(text), ...ignore]
}
