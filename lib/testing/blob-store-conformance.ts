import { blobCases } from './store-conformance/blob-cases.ts'
import { ingestCases } from './store-conformance/ingest-cases.ts'
import { integrityCases } from './store-conformance/integrity-cases.ts'
import { referenceCases } from './store-conformance/reference-cases.ts'
import { type ConformanceCase, casesFor, type StoreSubject } from './store-conformance/subject.ts'

/**
 * Returns the contract of a store as cases for any test runner. A driver that passes them works wherever this library
 * takes a store. A case that does not apply stays in the list, with the reason in `skip`.
 *
 * ```ts
 * for (const c of blobStoreConformance({ create })) test(c.name, { skip: c.skip }, () => c.run())
 * ```
 */
export function blobStoreConformance(subject: StoreSubject): ConformanceCase[] {
  return casesFor([...blobCases, ...ingestCases, ...referenceCases, ...integrityCases], subject)
}
