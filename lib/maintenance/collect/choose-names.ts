import type { AbortOptions } from '../../internal/abort.ts'
import { fitBudget } from './fit-budget.ts'
import type { Survey } from './mark-store.ts'
import { Retention, type RetentionChoice } from './retention.ts'

/** Selects the names and cache records to drop. Entries without a name always stay. */
export async function chooseNames(survey: Survey, options: AbortOptions): Promise<RetentionChoice> {
  const { roots, policy } = survey
  const { names, entries, records } = roots
  const { keepLast, maxAgeMs, maxBytes } = policy
  if (keepLast === undefined && maxAgeMs === undefined && maxBytes === undefined) {
    return { names, entries, records, dropNames: [], dropRecords: [] }
  }
  const choosing = new Retention(survey)
  if (keepLast !== undefined) choosing.keepLast(keepLast)
  if (maxAgeMs !== undefined) choosing.dropOlderThan(maxAgeMs)
  if (maxBytes !== undefined) await fitBudget(survey, choosing, maxBytes, options)
  await choosing.dropDigestTags(options)
  return choosing.choice()
}
