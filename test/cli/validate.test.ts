import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import type { Image } from '../../lib/image/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let place: ReturnType<typeof temporaryDirectory>
let image: Image
beforeEach(async () => {
  place = temporaryDirectory('validate')
  await using store = await openStore(join(place.path, 'store'))
  image = await sampleImage(store, [{ a: '1' }], { name: 'app:1' })
})
afterEach(() => place[Symbol.dispose]())

const run = (...args: string[]) => cli(args, { store: join(place.path, 'store') })

test('validate ends with 0 for a sound image: of the store, a layout, an archive and a registry', async () => {
  await using server = await serveStore(createMemoryStore())
  const [archive, docker] = [join(place.path, 'app.tar'), join(place.path, 'docker.tar')]
  expect((await run('save', 'app:1', '-o', archive)).code).toBe(0)
  expect((await run('save', 'app:1', '-o', docker, '--format', 'docker')).code).toBe(0)
  expect((await run('push', 'app:1', `${server.host}/app:1`)).code).toBe(0)
  const places = [
    'app:1',
    `oci:${join(place.path, 'store')}:app:1`,
    `oci-archive:${archive}`,
    `docker-archive:${docker}`,
  ]
  for (const name of [...places, `${server.host}/app:1`]) {
    expect({ name, ...(await run('validate', name, '--strict')) }).toMatchObject({
      code: 0,
      stdout: `${name} is valid\n`,
    })
  }
})

test('validate prints a line for each fault, and ends with 1 for errors', async () => {
  await using store = await openStore(join(place.path, 'store'))
  const { digest } = image.layers[0]!.descriptor
  await store.delete(digest)
  const { code, stdout } = await run('validate', 'app:1')
  expect({ code, stdout }).toEqual({
    code: 1,
    stdout: expect.stringMatching(
      /^error: layer 1: .*(missing|not in the store|no blob|not found).* \(ERR_BLOB_NOT_FOUND\)\n$/,
    ),
  })
  const json = JSON.parse((await run('validate', 'app:1', '--json')).stdout)
  expect(json).toMatchObject({ name: 'app:1', valid: false, faults: [{ severity: 'error', at: 'layer 1', digest }] })
})
