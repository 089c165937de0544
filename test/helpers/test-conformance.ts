import { type TestOptions, test } from 'vitest'
import type { ConformanceCase } from '../../lib/testing/index.ts'
import { needs } from './needs.ts'

/** Makes a test of each case. Prints each reason for which cases are skipped, once. */
export function testConformance(cases: readonly ConformanceCase[], options: TestOptions = {}): void {
  for (const reason of new Set(cases.flatMap(({ skip }) => skip ?? []))) needs(false, reason)
  for (const { name, skip, run } of cases) {
    const title = skip === undefined ? name : `${name} (skipped: ${skip})`
    test.skipIf(skip !== undefined)(title, options, () => run())
  }
}
