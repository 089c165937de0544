import { LayerStoreError } from './base.ts'

/** One statement of a plan that no longer holds. Plain data. */
export interface PlanChange {
  /**
   * Kind of the change: the name at the source refers to another descriptor (`source`), or a blob has another need
   * (`need`).
   */
  readonly what: 'source' | 'need'
  /** Digest of the blob, or the planned digest of the name. */
  readonly digest: string
  /** The planned value. */
  readonly planned: string
  /** The current value. */
  readonly now: string
}

/** A plan that no longer holds and was to run only unchanged. */
export class PlanOutdatedError extends LayerStoreError {
  readonly code = 'ERR_PLAN_OUTDATED'
  /** The statements that no longer hold. */
  readonly changes: readonly PlanChange[]

  /** @internal */
  constructor(changes: readonly PlanChange[], options?: ErrorOptions) {
    const [first, ...others] = changes.map(({ digest, planned, now }) => `${digest} was ${planned}, is ${now}`)
    const more = others.length > 0 ? `, and ${others.length} more` : ''
    super(`the plan no longer holds: ${first}${more}`, options)
    this.changes = changes
  }
}
