import { type ExecutorSubject, executorCasesFor } from './executor-conformance/executor-subject.ts'
import { limitCases } from './executor-conformance/limit-cases.ts'
import { processCases } from './executor-conformance/process-cases.ts'
import { viewCases } from './executor-conformance/view-cases.ts'
import type { ConformanceCase } from './store-conformance/subject.ts'

/**
 * Returns the contract of an {@link Executor} as cases for any test runner. An executor that passes them works wherever
 * this library takes one. A case that does not apply stays in the list, with the reason in `skip`.
 *
 * ```ts
 * for (const c of executorConformance({ create: myExecutor })) test(c.name, { skip: c.skip }, () => c.run())
 * ```
 */
export function executorConformance(subject: ExecutorSubject): ConformanceCase[] {
  return executorCasesFor([...processCases, ...viewCases, ...limitCases], subject)
}
