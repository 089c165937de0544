/**
 * Statuses that say that an act succeeded. Registries mix them up (pulp_container#2199, go-containerregistry#2198), so
 * the exact one decides only where the protocol gives it a meaning.
 */
export const SUCCESS: readonly number[] = [200, 201, 202, 203, 204]
