import { assertMembers } from '../internal/assert-kind.ts'

/**
 * Refuses a value that is no store, in JavaScript: a promise of one, a registry client, a path.
 *
 * @param members - Parts of a store that the act uses.
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT`.
 * @internal
 */
export function assertStore(value: unknown, members: readonly string[] = ['stat', 'read', 'references']): void {
  assertMembers(value, 'store', 'a store, as openStore and createMemoryStore make it', members)
}
