import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { buildImage, from } from '../../lib/build/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { planCollection, runCollection } from '../../lib/maintenance/index.ts'
import { mixedBytes } from '../helpers/mixed-bytes.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const stage = () => from('scratch').copy('.', '/app')

function writeFiles(directory: string, count: number): void {
  const bytes = mixedBytes(100_000 + count)
  mkdirSync(directory)
  for (let i = 0; i < count; i++) writeFileSync(join(directory, `f${i + 100}`), bytes.subarray(i, 100_000))
}

test('a rebuild with a changed file gives the image that a new store gets', async () => {
  using place = temporaryDirectory()
  const context = join(place.path, 'context')
  writeFiles(context, 30)
  const changed = join(context, 'f115')
  await using store = await openStore(join(place.path, 'store'))
  const build = () => buildImage(store, stage(), { context, names: ['app:1'] })
  const first = await build()
  // The same size, the old time, and at once: only the change time tells, and it may not have moved on yet.
  for (const fill of [1, 2, 3]) {
    writeFileSync(changed, mixedBytes(99_985).fill(fill))
    utimesSync(changed, 0, 0)
    const { descriptor, steps } = await build()
    await using other = await openStore(join(place.path, `other-${fill}`))
    const fresh = await buildImage(other, stage(), { context })
    expect(descriptor).toEqual(fresh.descriptor)
    expect(descriptor.digest).not.toBe(first.descriptor.digest)
    expect(steps.at(-1)).toMatchObject({ outcome: 'made' })
  }
})

test('what is known of the blocks of a layer is forgotten with the layer', async () => {
  using place = temporaryDirectory()
  const context = join(place.path, 'context')
  writeFiles(context, 30)
  await using store = await openStore(join(place.path, 'store'))
  await buildImage(store, stage(), { context })
  const tables = async () => (await store.derived.list('facts')).filter(key => key.startsWith('blocks:'))
  expect(await tables()).toHaveLength(1)
  await runCollection(store, await planCollection(store, { graceMs: 0, maxAgeMs: 1, force: true }))
  expect(await tables()).toEqual([])
})
