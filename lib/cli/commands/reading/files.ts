import { type Image, readImage } from '../../../image/index.ts'
import { commandsOfLayers } from '../../../inspect/index.ts'
import { parsePlatform } from '../../../oci/index.ts'
import { openUnionView, type UnionView, type ViewEntry } from '../../../rootfs/index.ts'
import { openImage } from '../../reading/open-image.ts'
import { refuseMissingLayers } from '../../reading/refuse-missing-layers.ts'
import type { Session } from '../../session/session.ts'
import type { PlatformOption } from './inspect.ts'

/** Options of `files`. */
export interface FilesOptions extends PlatformOption {
  readonly recursive?: boolean
  readonly layers?: boolean
}

const LETTERS: Readonly<Record<ViewEntry['type'], string>> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  hardlink: 'h',
  'character-device': 'c',
  'block-device': 'b',
  fifo: 'p',
}

/**
 * `files NAME [PATH]`: lists the files of an image without unpacking it. Layers of an image in a registry are read as a
 * stream, each once, and not stored.
 */
export async function files(session: Session, name: string, path: string, options: FilesOptions): Promise<void> {
  const platform = options.platform ? parsePlatform(options.platform) : undefined
  const { signal, hasher } = session
  const { blobs, name: found } = await openImage(session, name)
  const image = await readImage(blobs, found, { platform, signal })
  await refuseMissingLayers(blobs, image, signal)
  const view = await openUnionView(blobs, image, { signal, hasher })
  const entries = list(view, path, options.recursive ?? false)
  const layerOf = options.layers ? layersOf(image) : undefined
  const rows = entries.map(entry => [
    modeText(entry),
    `${entry.uid}:${entry.gid}`,
    String(entry.size),
    timeText(entry.mtime),
    entry.layer < 0 ? '-' : String(entry.layer + 1),
    ...(layerOf ? cellsOf(layerOf(entry)) : []),
    nameText(entry),
  ])
  const columns = ['MODE', 'OWNER', 'SIZE', 'CHANGED', 'LAYER', ...(layerOf ? ['DIGEST', 'CREATED BY'] : []), 'NAME']
  session.result(
    session.table(columns, rows),
    entries.map(entry => ({ ...jsonEntry(entry), ...(layerOf ? { from: layerOf(entry) ?? null } : {}) })),
  )
}

/** Layer of a file, as `--layers` prints it. */
interface FileLayer {
  readonly digest: string
  readonly diffId: string
  readonly createdBy: string | undefined
}

/** Returns a function that finds the layer of an entry; `undefined` for a directory that no layer has an entry for. */
function layersOf(image: Image): (entry: ViewEntry) => FileLayer | undefined {
  const commands = commandsOfLayers(image)
  const layers = image.layers.map(({ descriptor, diffId }, i) => {
    return { digest: descriptor.digest, diffId, createdBy: commands[i] }
  })
  return ({ layer }) => layers[layer]
}

const WIDEST_COMMAND = 45

function cellsOf(layer: FileLayer | undefined): string[] {
  const command = [...(layer?.createdBy ?? '')]
  const cut = command.length > WIDEST_COMMAND ? [...command.slice(0, WIDEST_COMMAND - 1), '…'] : command
  return [layer?.digest.slice(0, 19) ?? '-', cut.join('').replaceAll('\t', ' ')]
}

function list(view: UnionView, path: string, recursive: boolean): readonly ViewEntry[] {
  const found = view.stat(path, { follow: true })
  if (found && found.type !== 'directory') return [found]
  return recursive ? [...view.walk(path)] : view.list(path)
}

function modeText({ type, mode }: ViewEntry): string {
  const rights = [6, 3, 0].map(shift => {
    const bits = (mode >> shift) & 7
    return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${bits & 1 ? 'x' : '-'}`
  })
  const special = [mode & 0o4000 && 's', mode & 0o2000 && 's', mode & 0o1000 && 't'] as const
  const shown = rights.map((right, i) => {
    const letter = special[i]
    return letter ? right.slice(0, 2) + (right[2] === 'x' ? letter : letter.toUpperCase()) : right
  })
  return LETTERS[type] + shown.join('')
}

function timeText(seconds: number): string {
  const time = new Date(seconds * 1000)
  return Number.isNaN(time.getTime()) ? String(seconds) : time.toISOString().slice(0, 19).replace('T', ' ')
}

/**
 * SAFETY: a path or link target comes from a layer and may hold any byte. Printed as it is, a control character could
 * move the cursor or fake a line, so such characters are escaped.
 */
function nameText({ path, linkname, type }: ViewEntry): string {
  const arrow = type === 'symlink' ? ` -> ${linkname}` : type === 'hardlink' ? ` link to ${linkname}` : ''
  return `${path}${arrow}`.replace(/[\u0000-\u001f\u007f-\u009f\ud800-\udfff\\]/gu, character => {
    return character === '\\' ? '\\\\' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

function jsonEntry({ xattrs, ...entry }: ViewEntry): object {
  const values = [...(xattrs ?? [])].map(([name, value]) => [name, Buffer.from(value).toString('base64')])
  return values.length > 0 ? { ...entry, xattrs: Object.fromEntries(values) } : entry
}
