import { afterEach, beforeEach } from 'vitest'
import type { RegistryClient } from '../../lib/registry/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { registryClientFor } from './registry-client-for.ts'
import { serveStore } from './serve-store.ts'

/** Store behind the registry, empty before each test. {@link serveRegistry} sets it and the variables below. */
export let remote: Store
/** Local store, empty before each test. */
export let store: Store
/** Client of the registry. */
export let registry: RegistryClient
/** The running registry. */
export let server: Awaited<ReturnType<typeof serveStore>>

/** Serves a registry over an empty store around each test of the file. */
export function serveRegistry(): void {
  beforeEach(async () => {
    remote = createMemoryStore()
    store = createMemoryStore()
    registry = registryClientFor()
    server = await serveStore(remote)
  })
  afterEach(async () => {
    await registry.close()
    await server[Symbol.asyncDispose]()
  })
}

/** Reference of a name in the registry. */
export function ref(name: string): string {
  return `${server.host}/${name}`
}
