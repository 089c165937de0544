import type { CheckDriver } from '../drivers/check-driver.ts'
import type { CollectionDriver } from '../drivers/collection-driver.ts'

type Refuse = (act: string) => Promise<never>

/** A collection driver that can plan but not remove. */
export function readOnlyCollection(driver: CollectionDriver, refuse: Refuse): CollectionDriver {
  return {
    readOnly: true,
    nowMs: () => driver.nowMs?.() ?? Date.now(),
    blobs: options => driver.blobs(options),
    roots: options => driver.roots(options),
    document: digest => driver.document(digest),
    unfinished: () => driver.unfinished(),
    alone: () => refuse('collect garbage'),
    forgetNames: () => refuse('take names away'),
    forgetRecords: () => refuse('remove cache records'),
    forgetLeases: () => refuse('remove leases'),
    remove: () => refuse('remove blobs'),
  }
}

/** A check driver that can check but not move or repair. */
export function readOnlyChecking(driver: CheckDriver, refuse: Refuse): CheckDriver {
  return {
    readOnly: true,
    files: options => driver.files(options),
    names: options => driver.names(options),
    faults: options => driver.faults(options),
    quarantine: () => refuse('move a blob'),
    mend: () => refuse('mend a file'),
  }
}
