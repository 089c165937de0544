import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { type OpenObjectStoreOptions, openObjectStore } from '../../lib/object-store/index.ts'
import { namesIn } from '../../lib/store/index.ts'
import { blobStoreConformance } from '../../lib/testing/index.ts'
import { bundleChild } from '../helpers/bundle-child.ts'
import { sharedPrefixSubject } from '../helpers/shared-prefix-subject.ts'
import { startPlace } from '../helpers/start-place.ts'
import { sweep } from '../helpers/sweep.ts'

const PROCESSES = 4
/** Each process runs one case of so many: in full sweeps two processes run each, which takes Ceph half of the time. */
const EVERY = sweep(2, 4)

interface Line {
  readonly name?: string
  readonly skip?: string
  readonly error?: string
  readonly acknowledged?: readonly string[]
}

/** Number of cases that do not assume to be alone with the store. */
function runnable(place: OpenObjectStoreOptions): number {
  return blobStoreConformance(sharedPrefixSubject(place, 0).subject).filter(({ skip }) => skip === undefined).length
}

/** Runs the suite in a process; resolves to what it has printed. */
async function runSuite(path: string, args: readonly string[]): Promise<Line[]> {
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: Line[] = []
  createInterface({ input: child.stdout }).on('line', line => void lines.push(JSON.parse(line) as Line))
  const [code] = await once(child, 'close')
  expect(code).toBe(0)
  return lines
}

test(`${PROCESSES} processes that run the conformance suite at once over one store pass it`, {
  timeout: 600_000,
}, async () => {
  using program = await bundleChild('store-conformance-child.mjs', true)
  await using engine = await startPlace('suite')
  const place = { ...engine.place, prefix: randomUUID() }
  await using store = await openObjectStore(place)
  const suites = Array.from({ length: PROCESSES }, (_, i) =>
    runSuite(program.path, [JSON.stringify(place), String(i), String(EVERY)]),
  )
  const lines = (await Promise.all(suites)).flat()
  expect(lines.filter(({ error }) => error !== undefined)).toEqual([])
  const ran = lines.filter(({ name, skip }) => name !== undefined && skip === undefined)
  expect(ran).toHaveLength((runnable(place) * PROCESSES) / EVERY)
  for (const skip of new Set(lines.flatMap(line => line.skip ?? []))) console.log(`not from several processes: ${skip}`)

  // What a case was refused was not stored either.
  const acknowledged = new Set(lines.flatMap(line => line.acknowledged ?? []))
  for await (const { digest } of store.list()) expect(acknowledged).toContain(digest)
  expect(await namesIn(store)).toEqual([])
})
