import type { RegistryClient } from '../../registry/index.ts'
import type { Store } from '../../store/index.ts'

const PARTIES = Symbol('layerstore.parties')

/**
 * Attaches to a plan the registry, store or endpoints that it was made with. The member is not enumerable: the plan
 * stays plain JSON, and a stored copy loses it.
 */
export function bindParties<T extends object>(plan: T, parties: object): T {
  return Object.defineProperty(plan, PARTIES, { value: parties })
}

/** Returns the parties that a plan was made with; an empty object for a plan that was stored. */
export function boundParties<P extends object>(plan: object): Partial<P> {
  return (plan as { [PARTIES]?: P })[PARTIES] ?? {}
}

/** The parties of pulls and pushes, and the documents that were read during planning. */
export interface RegistryAndStore {
  readonly registry: RegistryClient
  readonly store: Store
  readonly documents: ReadonlyMap<string, Uint8Array>
}
