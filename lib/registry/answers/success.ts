/**
 * Statuses that say that an act succeeded. Registries mix them up (pulp_container#2199, go-containerregistry#2198), so
 * the exact one decides only where the protocol gives it a meaning.
 */
export const SUCCESS: readonly number[] = [200, 201, 202, 203, 204]

/** Statuses of an answer with the whole of what was asked for: 203 is that of a proxy that has changed something else. */
export const WITH_BODY: readonly number[] = [200, 203]
