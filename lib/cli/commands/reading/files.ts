import { readImage } from '../../../image/index.ts'
import { parsePlatform } from '../../../oci/index.ts'
import { openUnionView, type UnionView, type ViewEntry } from '../../../rootfs/index.ts'
import { openImage } from '../../reading/open-image.ts'
import { refuseMissingLayers } from '../../reading/refuse-missing-layers.ts'
import type { Session } from '../../session/session.ts'
import type { PlatformOption } from './inspect.ts'

/** Options of `files`. */
export interface FilesOptions extends PlatformOption {
  readonly recursive?: boolean
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
  const rows = entries.map(entry => [
    modeText(entry),
    `${entry.uid}:${entry.gid}`,
    String(entry.size),
    timeText(entry.mtime),
    entry.layer < 0 ? '-' : String(entry.layer + 1),
    nameText(entry),
  ])
  const lines = session.table(['MODE', 'OWNER', 'SIZE', 'CHANGED', 'LAYER', 'NAME'], rows)
  session.result(lines, entries.map(jsonEntry))
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
