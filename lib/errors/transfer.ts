import { LayerStoreError } from './base.ts'

/** One thing that a plan said and that no longer holds. Plain data. */
export interface PlanChange {
  /** What changed: what the source calls by the name (`source`), or what a blob needs (`need`). */
  readonly what: 'source' | 'need'
  /** Digest of the blob, or what the name stood for. */
  readonly digest: string
  /** What the plan said. */
  readonly planned: string
  /** What is so now. */
  readonly now: string
}

/** A plan that was to run only if it still held. */
export class PlanOutdatedError extends LayerStoreError {
  readonly code = 'ERR_PLAN_OUTDATED'
  /** What no longer holds. */
  readonly changes: readonly PlanChange[]

  /** @internal */
  constructor(changes: readonly PlanChange[], options?: ErrorOptions) {
    const [first, ...others] = changes.map(({ digest, planned, now }) => `${digest} was ${planned}, is ${now}`)
    const more = others.length > 0 ? `, and ${others.length} more` : ''
    super(`the plan no longer holds: ${first}${more}`, options)
    this.changes = changes
  }
}
