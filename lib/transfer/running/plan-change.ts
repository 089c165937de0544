import type { Digest } from '../../digest/index.ts'
import { LayerStoreError, type PlanChange } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { TransferSource } from '../endpoints/transfer-source.ts'
import type { TransferTarget } from '../endpoints/transfer-target.ts'
import type { PlanOfSteps, PlanStep } from '../plan.ts'

/** The current steps of a plan, and their differences from the planned ones. */
export interface Recheck {
  readonly steps: readonly PlanStep[]
  readonly changes: readonly PlanChange[]
}

/** Asks the target again what each blob needs. */
export async function recheckSteps(
  plan: PlanOfSteps,
  source: TransferSource,
  target: TransferTarget,
  { signal }: AbortOptions,
): Promise<Recheck> {
  const { root } = plan
  const needs = await target.needs(plan.steps, { root, source, documents: new Map(), signal })
  const changes: PlanChange[] = []
  const steps = plan.steps.map((step, i): PlanStep => {
    const now = needs[i]!
    if (isSettled(step.need) === isSettled(now.need) && step.offset === now.offset) return step
    changes.push({ what: 'need', digest: step.descriptor.digest, planned: wordsOf(step), now: wordsOf(now) })
    const { from: _, offset: __, ...rest } = step
    return { ...rest, ...now }
  })
  return { steps, changes }
}

/**
 * Checks whether the name at the source still refers to the planned root. If not, the planned root can still be fetched
 * by digest.
 */
export async function recheckSource(
  { index, root }: PlanOfSteps,
  source: TransferSource,
  options: AbortOptions,
): Promise<readonly PlanChange[]> {
  const planned: Digest = index ?? root.digest
  const now = await nameNow(source, options)
  return now === planned ? [] : [{ what: 'source', digest: planned, planned, now }]
}

async function nameNow(source: TransferSource, options: AbortOptions): Promise<string> {
  try {
    return (await source.resolve(options)).digest
  } catch (error) {
    const isGone = LayerStoreError.is(error) && GONE.has(error.code)
    if (!isGone) throw error
    return 'nothing'
  }
}

const GONE: ReadonlySet<string> = new Set(['ERR_MANIFEST_NOT_FOUND', 'ERR_REFERENCE_NOT_FOUND'])

function isSettled(need: PlanStep['need']): boolean {
  return need === 'present' || need === 'skip'
}

function wordsOf({ need, offset }: Pick<PlanStep, 'need' | 'offset'>): string {
  return offset === undefined ? need : `${need} at ${offset}`
}
