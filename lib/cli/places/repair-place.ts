import type { RepairSource } from '../../maintenance/index.ts'
import { UsageError } from '../failing/usage-error.ts'
import type { Session } from '../session/session.ts'
import { archiveAddress, splitLayout, splitPlace } from './image-place.ts'

/**
 * Opens the source of `fsck --repair FROM`, written as for `copy`: a repository (or `docker://REF`), `oci:DIR` (a store
 * or image layout), an archive. Blobs are fetched by digest; a tag in FROM is accepted and ignored.
 */
export async function openRepairSource(session: Session, text: string): Promise<RepairSource> {
  const { repairFromStore } = await import('../../maintenance/index.ts')
  const archive = await archiveAddress(text)
  if (archive) return repairFromStore(await session.archive(archive), text)
  const { kind, rest } = splitPlace(text)
  if (kind === 'store') throw new UsageError('store: is the store that is repaired; another one is named oci:DIR')
  // Names are not needed: a store with a broken `index.json` may still have the bytes.
  const how = { readOnly: true, damaged: 'open' } as const
  if (kind === 'oci') return repairFromStore(await session.layout(splitLayout(rest).directory, how), text)
  const { repairFromRegistry } = await import('../../transfer/index.ts')
  const { parseReference } = await import('../../oci/index.ts')
  return repairFromRegistry(await session.registry(), parseReference(rest))
}
