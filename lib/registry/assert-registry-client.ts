import { assertMembers } from '../internal/assert-kind.ts'

/**
 * Refuses a value that is no registry client, in JavaScript: a store, the name of a host.
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT`.
 * @internal
 */
export function assertRegistryClient(value: unknown): void {
  const expected = 'a registry client, as createRegistryClient makes it'
  assertMembers(value, 'registry', expected, ['resolve', 'fetchManifest', 'fetchBlob'])
}
