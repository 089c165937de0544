/**
 * Statuses of success. Registries confuse them (pulp_container#2199, go-containerregistry#2198), so the exact status
 * counts only where the protocol gives it a meaning.
 */
export const SUCCESS: readonly number[] = [200, 201, 202, 203, 204]

/** Statuses of a complete body. A proxy that changed something else answers 203. */
export const WITH_BODY: readonly number[] = [200, 203]
