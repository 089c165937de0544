import { openStore } from '../../lib/disk-store/index.ts'
import type { RegistryServerOptions } from '../../lib/server/index.ts'
import { type RunningServer, runningServer } from './running-server.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** Two servers over one store. */
export interface TwoServers extends AsyncDisposable {
  readonly one: RunningServer
  readonly two: RunningServer
}

/** Starts two servers over one store, each with the store opened for itself, as in two processes or on two machines. */
export async function twoServers(first: RegistryServerOptions, second = first): Promise<TwoServers> {
  const directory = temporaryDirectory('two-servers')
  const one = await runningServer(first, await openStore(directory.path))
  const two = await runningServer(second, await openStore(directory.path))
  return {
    one,
    two,
    async [Symbol.asyncDispose]() {
      await one[Symbol.asyncDispose]()
      await two[Symbol.asyncDispose]()
      directory[Symbol.dispose]()
    },
  }
}
