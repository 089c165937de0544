import { createRegistryClient, type RegistryClient, type RegistryClientOptions } from '../../lib/registry/index.ts'

/** Creates a client without the credentials of this machine, with retry pauses too short to notice. */
export function registryClientFor(options: RegistryClientOptions = {}): RegistryClient {
  return createRegistryClient({ credentials: false, ...options, retries: { baseDelayMs: 1, ...options.retries } })
}
