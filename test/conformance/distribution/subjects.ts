import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../../../lib/disk-store/index.ts'
import { createRegistryServer } from '../../../lib/server/index.ts'
import { createMemoryStore, type Store } from '../../../lib/store/index.ts'
import { needsProgram } from '../../helpers/needs-program.ts'
import { startDockerRegistry } from '../../helpers/start-docker-registry.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

/** Cases that a registry fails, with the reason. The test fails if a listed case passes. */
export type Differences = Readonly<Record<string, string>>

/** Named cases, grouped by workflow of the specification. */
export type Workflows<T> = Readonly<
  Record<string, readonly (readonly [name: string, run: (target: T) => Promise<void>])[]>
>

interface Subject {
  readonly url: string
  stop(): Promise<void>
}

async function served(store: Store): Promise<Subject> {
  const server = createRegistryServer(store)
  const { url } = await server.listen()
  return {
    url,
    async stop() {
      await server.close()
      await store.close()
    },
  }
}

/** Runs all cases against our server with a memory store, our server with a disk store, and docker-registry. */
export function runAgainstAll<T extends AsyncDisposable>(
  workflows: Workflows<T>,
  open: (url: string) => T,
  differences: { readonly ours: Differences; readonly dockerRegistry: Differences },
): void {
  const run = (start: () => Promise<Subject>, expected: Differences) => runAgainst(workflows, open, start, expected)
  describe('our server with a memory store', () => run(() => served(createMemoryStore()), differences.ours))

  describe('our server with a disk store', () => {
    const directory = temporaryDirectory('conformance')
    afterAll(() => directory[Symbol.dispose]())
    run(async () => served(await openStore(join(directory.path, 'store'))), differences.ours)
  })

  describe.runIf(needsProgram('docker-registry'))('docker-registry', () => {
    run(async () => {
      const { host, stop } = await startDockerRegistry()
      return { url: `http://${host}`, stop }
    }, differences.dockerRegistry)
  })
}

function runAgainst<T extends AsyncDisposable>(
  workflows: Workflows<T>,
  open: (url: string) => T,
  start: () => Promise<Subject>,
  differences: Differences,
): void {
  let subject: Subject
  beforeAll(async () => {
    subject = await start()
  })
  afterAll(() => subject.stop())

  for (const [workflow, cases] of Object.entries(workflows)) {
    describe(workflow, () => {
      for (const [name, run] of cases) {
        const why = differences[name]
        test(why === undefined ? name : `${name} (differs: ${why})`, async () => {
          await using target = open(subject.url)
          if (why === undefined) await run(target)
          else await expect(run(target)).rejects.toThrow()
        })
      }
    })
  }

  test('every known difference names a case', () => {
    const names = Object.values(workflows).flatMap(cases => cases.map(([name]) => name))
    expect(new Set(names).size).toBe(names.length)
    for (const name of Object.keys(differences)) expect(names).toContain(name)
  })
}
