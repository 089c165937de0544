import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { buildImage, dockerfileStages, type OnBuildProgress } from '../../lib/build/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { checkStore } from '../../lib/maintenance/index.ts'
import { faults, systemError } from '../helpers/faulty-fs.ts'
import { mixedBytes } from '../helpers/mixed-bytes.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

vi.mock('node:fs/promises', async original => {
  const { faultyFs } = await import('../helpers/faulty-fs.ts')
  return faultyFs(await original())
})

afterEach(() => faults.reset())

test('a disk that is full names the step, leaves nothing half-written, and keeps the steps before in the cache', async () => {
  using place = temporaryDirectory()
  const directory = join(place.path, 'store')
  await using store = await openStore(directory)
  const context = { files: { small: 'small\n', large: mixedBytes(3_000_000) } }
  const text = 'FROM scratch\nCOPY small /a/\nCOPY large /b/\n'
  let isFull = false
  const onProgress: OnBuildProgress = event => {
    if (event.kind === 'step-started' && event.title === 'COPY large /b/') isFull = true
  }
  const build = () => buildImage(store, dockerfileStages(text), { context, names: ['app:1'], onProgress })
  faults.reset(name => (isFull && name.startsWith('handle.write') ? systemError('ENOSPC', 'write') : undefined))
  expect(await thrownBy(build)).toMatchObject({
    code: 'ERR_BUILD_STEP',
    step: 'COPY large /b/',
    at: expect.stringMatching(/:3:1$/),
    cause: expect.objectContaining({ code: 'ERR_STORE_IO', errno: 'ENOSPC' }),
  })
  faults.reset()
  expect(await store.references.get('app:1')).toBeUndefined()
  const left = join(directory, '.layerstore/ingests')
  const files = existsSync(left) ? readdirSync(left).flatMap(name => readdirSync(join(left, name))) : []
  expect(files.filter(name => /^\d+$/.test(name))).toEqual([])
  expect((await checkStore(store)).faults).toEqual([])
  const { steps } = await build()
  expect(steps.map(({ outcome }) => outcome)).toEqual(['base', 'cached', 'made'])
})
