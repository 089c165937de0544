import { LimitError } from '../../errors/index.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import type { ContentOptions, UnionView, ViewEntry } from '../../rootfs/index.ts'
import type { UnreadPackages } from './package-list.ts'

/** Most bytes of a file that describes one package. */
const MOST = 1024 * 1024

/** A file of the image that was read. */
export interface ReadText {
  readonly path: string
  /** Index of its layer. */
  readonly layer: number
  readonly text: string
}

/** Settings for {@link readTexts}. */
interface ReadTextsOptions extends Pick<ContentOptions, 'signal' | 'hasher'> {
  /** Gets the files that are too large. */
  readonly unread: UnreadPackages[]
}

/**
 * Reads files of an image; each layer is decompressed at most once, except for files with several names of which
 * another one comes first.
 */
export async function readTexts(
  view: UnionView,
  entries: readonly ViewEntry[],
  { signal, hasher, unread }: ReadTextsOptions,
): Promise<ReadText[]> {
  const small = entries.filter(({ path, size, type }) => {
    if (type === 'file' && size > MOST) unread.push({ path, reason: `${size} bytes are more than ${MOST}` })
    return type === 'hardlink' || size <= MOST
  })
  const layers = new Map(small.map(({ path, layer }) => [path, layer]))
  const texts: ReadText[] = []
  const files = small.filter(({ type }) => type === 'file')
  for await (const { path, content } of view.withContent(files, { signal, hasher })) {
    const source = typeof content === 'function' ? await content() : content
    const bytes = typeof source === 'string' ? Buffer.from(source) : await collectBytes(source ?? [], MOST, path)
    texts.push({ path, layer: layers.get(path)!, text: Buffer.from(bytes).toString('utf8') })
  }
  for (const { path, layer } of small.filter(({ type }) => type === 'hardlink')) {
    try {
      const bytes = await collectBytes(view.read(path, { signal }), MOST, path)
      texts.push({ path, layer, text: Buffer.from(bytes).toString('utf8') })
    } catch (error) {
      if (!(error instanceof LimitError)) throw error
      unread.push({ path, reason: error.message })
    }
  }
  return texts
}
