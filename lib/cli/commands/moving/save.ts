import { once } from 'node:events'
import { existsSync } from 'node:fs'
import {
  type Prerequisite,
  parseArchiveAddress,
  saveArchive,
  type WriteArchiveOptions,
  writeArchive,
} from '../../../archive/index.ts'
import { readImage } from '../../../image/index.ts'
import { parsePlatform } from '../../../oci/index.ts'
import { notEmpty } from '../../arguments/not-empty.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { nameInStore, placeOf } from '../../places/name-place.ts'
import { formatBytes } from '../../printing/format-bytes.ts'
import type { Session } from '../../session/session.ts'
import { compressionOf } from '../composing/writing-policies.ts'
import type { PlatformOption } from '../reading/inspect.ts'

/** Options of `save`. */
export interface SaveOptions extends PlatformOption {
  readonly output?: string
  readonly format?: string
  readonly compression?: string
  readonly have?: readonly string[]
}

/** `save NAME… -o FILE`: writes stored images to one file, or to stdout. */
export async function save(session: Session, given: readonly string[], options: SaveOptions): Promise<void> {
  const { output = '-', format } = options
  notEmpty(output, 'the file of --output')
  const names = given.map(nameInStore)
  if (format !== undefined && format !== 'oci' && format !== 'docker') {
    throw new UsageError(`--format takes oci or docker; got ${JSON.stringify(format)}`)
  }
  const write: WriteArchiveOptions = {
    format,
    have: await prerequisitesOf(session, options.have ?? []),
    compression: compressionOf(options.compression ?? 'none'),
    platform: options.platform ? parsePlatform(options.platform) : undefined,
    signal: session.signal,
  }
  if (output === '-') return toStdout(session, names, write)
  const { bytes } = await saveArchive(await session.store({ create: false }), names, output, write)
  session.note(`${output}: ${names.length} ${names.length === 1 ? 'name' : 'names'}, ${formatBytes(bytes)}`)
  session.result(output, { file: output, ...(format ? { format } : {}), bytes, names })
}

/**
 * Resolves the images that the receiver has: a name in the store, an archive file, or an image of a registry, which is
 * only read.
 */
async function prerequisitesOf(session: Session, have: readonly string[]): Promise<Prerequisite[]> {
  const { signal } = session
  const found: Prerequisite[] = []
  for (const text of have) {
    const address = parseArchiveAddress(text) ?? (existsSync(text) ? { format: 'oci' as const, path: text } : undefined)
    if (address) {
      found.push(await session.archive(address))
      continue
    }
    const { where, name } = await placeOf(session, text)
    found.push(where === 'store' ? name : await readImage(await session.registry(), name, { signal }))
  }
  return found
}

async function toStdout(session: Session, names: readonly string[], options: WriteArchiveOptions): Promise<void> {
  const { stdout } = session.terminal
  if (session.json) throw new UsageError('an archive on stdout leaves no place for --json: give a file with -o')
  if (stdout.isTTY) throw new UsageError('an archive is not written to a terminal: give a file with -o, or redirect')
  for await (const chunk of writeArchive(await session.store({ create: false }), names, options)) {
    if (!stdout.write(chunk)) await once(stdout, 'drain', { signal: session.signal })
  }
}
