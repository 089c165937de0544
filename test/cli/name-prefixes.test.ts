import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let place: ReturnType<typeof temporaryDirectory>
let digest: string
const run = (...args: string[]) => cli(args, { store: join(place.path, 'store') })

beforeEach(async () => {
  place = temporaryDirectory('prefixes')
  await using store = await openStore(join(place.path, 'store'), { durability: 'none' })
  digest = (await sampleImage(store, [{ a: 'a' }], { name: 'app:1' })).descriptor.digest
})
afterEach(() => place[Symbol.dispose]())

test('commands take docker:// before a reference and store: before a name of the store', async () => {
  await using server = await serveStore(createMemoryStore())
  const remote = `docker://${server.host}/team/app:1`
  expect(await run('push', 'store:app:1', remote)).toMatchObject({ code: 0, stdout: `${digest}\n` })
  expect(await run('pull', remote)).toMatchObject({ code: 0, stdout: `${digest}\n` })
  expect((await run('images', '-q', `${server.host}/team/app:1`)).stdout).toBe(`${digest}\n`)
  expect(await run('tag', 'store:app:1', 'store:other:1')).toMatchObject({ code: 0, stdout: 'other:1\n' })
  expect((await run('save', 'store:other:1', '-o', join(place.path, 'a.tar'))).code).toBe(0)
  expect((await run('unpack', 'store:other:1', join(place.path, 'root'))).code).toBe(0)
  expect(await run('rm', 'store:other:1')).toMatchObject({ code: 0, stdout: 'other:1\n' })
})

test('a prefix that leads to the other place is wrong usage', async () => {
  const stored = await run('save', 'docker://host/app:1', '-o', join(place.path, 'a.tar'))
  expect(stored).toMatchObject({ code: 2, stderr: expect.stringContaining('pull it first') })
  const asked = await run('pull', 'store:app:1')
  expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining('a reference to a registry is needed') })
})

test('a name that a layout does not have is missing in the layout, not in the store', async () => {
  const layout = join(place.path, 'layout')
  expect((await run('copy', 'store:app:1', `oci:${layout}:1`)).code).toBe(0)
  for (const args of [
    ['copy', `oci:${layout}:2`, 'store:x:1'],
    ['inspect', `oci:${layout}:2`],
  ]) {
    const { code, stderr } = await run(...args)
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`no image named 2 in oci:${layout}`),
    })
    expect(stderr).not.toContain('layerstore images')
  }
  expect(await run('digest', `oci:${layout}:${digest}`)).toMatchObject({ code: 0, stdout: `${digest}\n` })
})

test('rm of a digest removes the name that leads to it, if there is one only', async () => {
  await run('tag', 'app:1', 'app:2')
  expect(await run('rm', digest)).toMatchObject({ code: 2, stderr: expect.stringMatching(/of app:1, app:2/) })
  await run('rm', 'app:2')
  expect(await run('rm', digest)).toMatchObject({ code: 0, stdout: 'app:1\n' })
  const again = await run('rm', digest)
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining(`no named image ${digest} in the store`) })
})
