import { openStore } from '../../lib/disk-store/index.ts'
import type { RegistryPeers, RegistryServerOptions } from '../../lib/server/index.ts'
import { type RunningServer, runningServer } from './running-server.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** Two servers over one store. */
export interface TwoServers extends AsyncDisposable {
  readonly one: RunningServer
  readonly two: RunningServer
}

/** Starts two servers over one store that exchange messages, as the processes of `serve --workers` do. */
export function connectedServers(options: RegistryServerOptions = {}): Promise<TwoServers> {
  const [left, right] = connectedPeers(2)
  return twoServers({ ...options, peers: left }, { ...options, peers: right })
}

/** Starts two servers over one store that exchange no message, as on two machines. */
export function twoMachines(options: RegistryServerOptions = {}): Promise<TwoServers> {
  return twoServers({ shareUploads: true, ...options })
}

/** Starts two servers over one store, each with the store opened for itself, as in two processes or on two machines. */
async function twoServers(first: RegistryServerOptions, second = first): Promise<TwoServers> {
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

/** Connects servers of this process. Messages pass as JSON, as between processes. */
function connectedPeers(count: number): readonly RegistryPeers[] {
  const answers: (((message: unknown) => Promise<unknown>) | undefined)[] = []
  const copy = (value: unknown) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)))
  return Array.from({ length: count }, (_, me) => ({
    ask: async message => {
      const all = answers.map((answer, index) => (index === me ? undefined : answer?.(copy(message))))
      return (await Promise.all(all)).map(copy).filter(answer => answer !== undefined)
    },
    onAsk: answer => {
      answers[me] = answer
    },
  }))
}
