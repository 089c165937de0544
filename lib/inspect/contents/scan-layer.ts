import type { AbortOptions } from '../../internal/abort.ts'
import type { IndexedEntry } from '../../layer/index.ts'
import type { ViewStore } from '../../rootfs/index.ts'
import { keyOfSecrets } from '../../store/index.ts'
import type { LayerContents } from '../read-layers.ts'
import { readCandidates } from './read-candidates.ts'
import { SECRET_PLACES, type SecretPlace } from './secret-places.ts'

/** A file of a layer that holds a secret. */
export interface LayerSecret {
  readonly kind: string
  readonly path: string
  /** Offset of the content in the layer; identifies the entry. */
  readonly offset: number
}

/** Version of the rules. A kept result of other rules is not used. */
const VERSION = 1

/**
 * Finds files of a layer that hold secrets: by name, then by content. The result is kept as a fact about the diffID, so
 * that a layer is opened for it only once.
 */
export async function scanLayer(
  store: ViewStore,
  layer: LayerContents,
  options: AbortOptions,
): Promise<readonly LayerSecret[]> {
  const candidates = candidatesOf(layer.entries)
  if (candidates.size === 0) return []
  const key = keyOfSecrets(layer.diffId)
  const kept = parseKept(await store.derived.get('facts', key, options))
  if (kept) return kept
  const found: LayerSecret[] = []
  const unread: IndexedEntry[] = []
  for (const [file, { kind, content }] of candidates) {
    if (content) unread.push(file)
    else found.push({ kind, path: file.path, offset: file.offset })
  }
  for await (const { file, head } of readCandidates(store, layer, unread, options)) {
    const { kind, content } = candidates.get(file)!
    if (holds(head, content!)) found.push({ kind, path: file.path, offset: file.offset })
  }
  found.sort((a, b) => a.offset - b.offset)
  await store.derived.set('facts', key, Buffer.from(JSON.stringify({ version: VERSION, found })), options)
  return found
}

/** Longest text that a pattern is applied to at once, and the length that two such texts have in common. */
const TEXT_BYTES = 4096
const OVERLAP_BYTES = 256

/**
 * True if a line of a text matches.
 *
 * SAFETY: the time of some patterns grows with the square of the length, and a hostile image could hold 64 KiB that
 * need minutes. So lines are tried one by one, and long ones in parts.
 */
function holds(head: Buffer, pattern: RegExp): boolean {
  for (const line of head.toString('latin1').split('\n')) {
    for (let start = 0; start === 0 || start < line.length; start += TEXT_BYTES - OVERLAP_BYTES) {
      if (pattern.test(line.slice(start, start + TEXT_BYTES))) return true
    }
  }
  return false
}

/** Longest name of a file that a file system takes. Longer ones would only cost time. */
const MOST_NAME = 255

/** Longest file that is taken for one with secrets. */
const MOST_BYTES = 16 * 1024 * 1024

function candidatesOf(entries: readonly IndexedEntry[]): Map<IndexedEntry, SecretPlace> {
  const candidates = new Map<IndexedEntry, SecretPlace>()
  for (const entry of entries) {
    if (entry.type !== 'file' || entry.size === 0 || entry.size > MOST_BYTES) continue
    if (entry.path.length - entry.path.lastIndexOf('/') > MOST_NAME + 1) continue
    const place = SECRET_PLACES.find(({ path }) => path.test(entry.path))
    if (place) candidates.set(entry, place)
  }
  return candidates
}

/** Derived data may be damaged or of another version; then the layer is read again. */
function parseKept(bytes: Uint8Array | undefined): readonly LayerSecret[] | undefined {
  if (!bytes) return undefined
  try {
    const { version, found } = JSON.parse(Buffer.from(bytes).toString('utf8'))
    const isSecret = ({ kind, path, offset }: LayerSecret) =>
      typeof kind === 'string' && typeof path === 'string' && Number.isSafeInteger(offset)
    return version === VERSION && Array.isArray(found) && found.every(isSecret) ? found : undefined
  } catch {
    return undefined
  }
}
