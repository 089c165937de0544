import { LayerStoreError } from '../../../errors/index.ts'
import { type LocatedImage, measureDedup } from '../../../inspect/index.ts'
import { parseAmount } from '../../amounts/parse-amount.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { dedupLines } from '../../inspecting/dedup-lines.ts'
import type { Session } from '../../session/session.ts'
import type { PlatformOption } from '../reading/inspect.ts'
import { locateImage } from './analyze.ts'

/** Options of `dedup`. */
export interface DedupOptions extends PlatformOption {
  readonly chunkSize?: string
  /** `false` with `--no-compress`. */
  readonly compress?: boolean
}

/**
 * `dedup [NAME…]`: measures how many bytes images need if each layer, file or chunk is kept once. Without names it
 * takes every image of the store.
 */
export async function dedup(session: Session, names: readonly string[], options: DedupOptions): Promise<void> {
  const chunks = chunkSizesOf(options.chunkSize ?? '16KiB')
  const { signal, hasher } = session
  const taken: string[] = []
  const images: LocatedImage[] = []
  for (const name of names.length > 0 ? names : await namesOfStore(session)) {
    const found = await locate(session, name, options, names.length > 0)
    if (!found) continue
    taken.push(name)
    images.push(found)
  }
  if (images.length === 0) throw new UsageError('the store has no image to measure')
  const report = await measureDedup(images, { chunks, compressed: options.compress !== false, signal, hasher })
  session.result(dedupLines(taken, report), { names: taken, ...report })
}

async function namesOfStore(session: Session): Promise<string[]> {
  const store = await session.store({ create: false })
  const names: string[] = []
  for await (const { name } of store.references.list({ signal: session.signal })) names.push(name)
  return names.sort()
}

/** Finds an image. Without given names, a name of the store that is no image or lacks layers is noted and left out. */
async function locate(
  session: Session,
  name: string,
  options: DedupOptions,
  isGiven: boolean,
): Promise<LocatedImage | undefined> {
  try {
    const { blobs, image } = await locateImage(session, isGiven ? name : `store:${name}`, options)
    return { store: blobs, image }
  } catch (error) {
    if (isGiven || !LayerStoreError.is(error)) throw error
    session.note(`left out: ${name}: ${error.message}`)
    return undefined
  }
}

/** Sizes of chunks around a mean. */
function chunkSizesOf(text: string): { min: number; mean: number; max: number } {
  const mean = parseAmount('--chunk-size', text, 'bytes')
  const isPower = Number.isInteger(Math.log2(mean)) && mean >= 256 && mean <= 2 ** 24
  if (!isPower) throw new UsageError(`--chunk-size takes a power of 2 from 256 to 16MiB; got ${JSON.stringify(text)}`)
  return { min: mean / 4, mean, max: mean * 4 }
}
