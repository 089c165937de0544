import { createStreamDigester, type Digest, type HasherEngine, restoreStreamDigester } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { BlobInfo, Store } from '../../store/index.ts'
import { keepColumns } from '../indexing/keep-index.ts'
import { keepBlockTable, readBlockTable } from './block-table.ts'
import { KnownCompression } from './compress-known.ts'
import type { KnownLayer } from './lay-out-known.ts'
import type { LayerLayout } from './layer-layout.ts'
import { ReuseFailure } from './packed-blocks.ts'
import { planReuse, type ReusePlan } from './reuse-plan.ts'

/** Members of a store that {@link writeKnown} needs; without `read` nothing is reused. */
type KnownStore = Pick<Store, 'put' | 'derived'> & Partial<Pick<Store, 'read'>>

/** Options of {@link writeKnown}; see those of `writeLayer`. */
export interface WriteKnownOptions extends AbortOptions {
  readonly level: number
  /** Text that is equal as long as equal blocks are compressed to equal bytes. */
  readonly compressor: string
  readonly hasher?: HasherEngine | undefined
  readonly reuse?: readonly Digest[] | undefined
  readonly progress: { entries: number; bytes: number }
  readonly onProgress?: ((progress: { entries: number; bytes: number }) => void) | undefined
}

/**
 * Writes a gzip layer of known entries. Positions, index and the keys of the blocks follow from the entries, so blocks
 * that a stored layer has are found before anything is read. What cannot be reused after all is made anew.
 */
export async function writeKnown(
  store: KnownStore,
  { layout, columns }: KnownLayer,
  options: WriteKnownOptions,
): Promise<BlobInfo & { readonly diffId: Digest }> {
  const { signal } = options
  options.progress.entries = layout.entries.length
  const compressor = `${options.compressor}/${process.arch}`
  const plan = store.read && (await findReuse(store, layout, { ...options, compressor }))
  const attempt = (plan: ReusePlan | undefined) => writeOnce(store, { layout, plan }, { ...options, compressor })
  const written = await attempt(plan).catch(error => {
    if (!plan || !(error instanceof ReuseFailure)) throw error
    return attempt(undefined)
  })
  const { diffId } = written
  if (columns) await keepColumns(store.derived, columns, { diffId, bytes: layout.bytes, duplicates: [] }, { signal })
  return written
}

/** The stored layer that has most of the blocks. */
async function findReuse(
  { derived }: KnownStore,
  layout: LayerLayout,
  { reuse = [], compressor, hasher, signal }: WriteKnownOptions,
): Promise<ReusePlan | undefined> {
  let best: { readonly plan: ReusePlan; readonly found: number } | undefined
  for (const blob of reuse) {
    const table = await readBlockTable(derived, blob, compressor, { signal })
    const plan = table && planReuse(layout, table, hasher !== 'native')
    const found = plan?.rows.filter(row => row >= 0).length ?? 0
    if (plan && found > (best?.found ?? 0)) best = { plan, found }
  }
  return best?.plan
}

async function writeOnce(
  store: KnownStore,
  { layout, plan }: { readonly layout: LayerLayout; readonly plan: ReusePlan | undefined },
  options: WriteKnownOptions,
): Promise<BlobInfo & { readonly diffId: Digest }> {
  const { level, compressor, hasher, progress, onProgress, signal } = options
  const digester = await digesterOf(plan, hasher)
  try {
    progress.bytes = digester.bytesHashed
    const compression = new KnownCompression({
      ...{ store, layout, plan, level, digester, signal },
      savesState: hasher !== 'native',
      onBytes(bytes) {
        progress.bytes += bytes
        onProgress?.({ ...progress })
      },
    })
    const { digest, size } = await store.put(compression.bytes(), { hasher, signal })
    const diffId = await digester.digest()
    const rows = await compression.rows()
    if (rows.length > 1) await keepBlockTable(store.derived, { blob: digest, compressor, rows }, { signal })
    return { digest, size, diffId }
  } finally {
    digester.release()
  }
}

/** @throws {@link ReuseFailure} for a state that is damaged or of another version. */
async function digesterOf(plan: ReusePlan | undefined, hasher: HasherEngine | undefined) {
  if (!plan?.state) return createStreamDigester({ hasher })
  return restoreStreamDigester(plan.state).catch(cause => {
    throw new ReuseFailure('a stored state of a hash cannot be restored', { cause })
  })
}
