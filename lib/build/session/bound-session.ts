import type { BuildPlan } from '../build-plan.ts'
import type { BuildSession } from './build-session.ts'

/** Steps that use no record: all, or those of the named stages. */
export type NoCache = boolean | readonly string[] | undefined

/** Objects that a plan was made with and that its JSON does not contain. */
export interface BoundSession {
  readonly session: BuildSession
  readonly noCache: NoCache
  /** Objects of the stages that the end of the build disposes. */
  readonly owned?: readonly AsyncDisposable[] | undefined
}

const bound = new WeakMap<BuildPlan, BoundSession>()

/** Remembers what a plan was made with. */
export function bindSession(plan: BuildPlan, session: BoundSession): BuildPlan {
  bound.set(plan, session)
  return plan
}

/** Returns the objects that a plan was made with; `undefined` for a stored plan. */
export function boundSession(plan: BuildPlan): BoundSession | undefined {
  return bound.get(plan)
}
