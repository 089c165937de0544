export { createRegistryServer, type RegistryServer } from './create-registry-server.ts'
export type { RegistryAddress } from './listen.ts'
export type { RegistryRequestEvent, RegistryServerOptions } from './options.ts'
