import { expect, test } from 'vitest'
import { checkStore } from '../../lib/maintenance/index.ts'
import { openObjectStore } from '../../lib/object-store/index.ts'
import { namesIn } from '../../lib/store/index.ts'
import { setNamesInProcesses } from '../helpers/name-processes.ts'
import { startPlace } from '../helpers/start-place.ts'
import { sweep } from '../helpers/sweep.ts'

const [processes, names] = sweep([8, 200], [3, 20])

test(`${processes} processes that set ${names} names each at once set all of them`, { timeout: 600_000 }, async () => {
  await using engine = await startPlace('many')
  const options = { ...engine.place, prefix: 'names', hasher: 'native' } as const
  await setNamesInProcesses(options, processes, names)
  await using store = await openObjectStore(options)
  // And the one that all of them swap.
  expect(await namesIn(store)).toHaveLength(processes * names + 1)
  expect((await checkStore(store)).sound).toBe(true)
})
