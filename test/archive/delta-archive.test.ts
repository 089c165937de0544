import { createReadStream, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadArchive, openArchive, saveArchive } from '../../lib/archive/index.ts'
import { composeImage, type Image, readImage } from '../../lib/image/index.ts'
import { fromFiles, writeLayer } from '../../lib/layer/index.ts'
import { remoteLayersOf, withRemoteLayers } from '../../lib/oci/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { readTar } from '../../lib/tar/index.ts'
import { blobsOf } from '../helpers/blobs-of.ts'
import { mixedBytes } from '../helpers/mixed-bytes.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let place: ReturnType<typeof temporaryDirectory>
let store: Store
let base: Image
let app: Image
const file = (name: string) => join(place.path, name)

beforeEach(async () => {
  place = temporaryDirectory('delta')
  store = createMemoryStore()
  base = await sampleImage(store, [{ lib: mixedBytes(200_000) }], { name: 'base:1' })
  const layer = await writeLayer(store, fromFiles({ app: 'run' }))
  app = await composeImage(store, { base, layers: [layer] })
  await store.references.set('app:1', app.descriptor)
})
afterEach(() => place[Symbol.dispose]())

describe('a delta archive', () => {
  test('leaves out the layers that its receiver has, says so, and is loaded where they are', async () => {
    await saveArchive(store, 'app:1', file('whole.tar'))
    await saveArchive(store, 'app:1', file('delta.tar'), { have: ['base:1'] })
    expect(statSync(file('delta.tar')).size).toBeLessThan(statSync(file('whole.tar')).size / 5)
    const receiver = createMemoryStore()
    await saveArchive(store, 'base:1', file('base.tar'))
    await loadArchive(receiver, file('base.tar'))
    await loadArchive(receiver, file('delta.tar'))
    expect(await blobsOf(receiver)).toEqual(await blobsOf(store))
    expect(await receiver.references.get('app:1')).toEqual(app.descriptor)
  })

  test.each(['file', 'stream'])('is refused as a %s where they are not, with the image to load first', async way => {
    await saveArchive(store, 'app:1', file('delta.tar'), { have: ['base:1'] })
    const receiver = createMemoryStore()
    const source = way === 'file' ? file('delta.tar') : createReadStream(file('delta.tar'))
    const wanted = `docker.io/library/base:1@${base.descriptor.digest}`
    await expect(loadArchive(receiver, source)).rejects.toMatchObject({
      code: 'ERR_BLOB_NOT_FOUND',
      requires: [wanted],
      message: expect.stringContaining(`the archive is a delta, and the store must have ${wanted} first`),
    })
    expect(await receiver.references.get('app:1')).toBeUndefined()
    await expect(openArchive(file('delta.tar'))).rejects.toMatchObject({ requires: [wanted] })
  })

  test('is made against an earlier archive, an image that was only read, and in the format of docker', async () => {
    await saveArchive(store, 'base:1', file('base.tar'))
    await using had = await openArchive(file('base.tar'))
    await saveArchive(store, 'app:1', file('one.tar'), { have: [had] })
    await saveArchive(store, 'app:1', file('two.tar'), { have: [base], format: 'docker' })
    const blobs = async (name: string) => {
      const paths: string[] = []
      for await (const { path } of readTar(createReadStream(file(name)))) paths.push(path)
      return paths.filter(path => /^blobs\/sha256\/./.test(path))
    }
    expect(await blobs('one.tar')).toHaveLength(3)
    expect(await blobs('two.tar')).toEqual(await blobs('one.tar'))
  })

  test('needs no layer of a base that was never pulled; without it they are missing, and no file is left', async () => {
    for (const { digest } of base.manifest.layers) await store.delete(digest)
    const from = { registry: 'ghcr.io', repository: 'team/base' }
    await store.references.set('app:1', withRemoteLayers(app.descriptor, [from]))
    await expect(saveArchive(store, 'app:1', file('whole.tar'))).rejects.toMatchObject({
      code: 'ERR_BLOB_NOT_FOUND',
      source: 'ghcr.io/team/base',
    })
    expect(existsSync(file('whole.tar'))).toBe(false)
    await saveArchive(store, 'app:1', file('delta.tar'), { have: [base] })
    const receiver = createMemoryStore()
    await sampleImage(receiver, [{ lib: mixedBytes(200_000) }])
    await loadArchive(receiver, file('delta.tar'))
    const loaded = await receiver.references.get('app:1')
    expect(loaded).toEqual(app.descriptor)
    expect(remoteLayersOf(loaded!)).toEqual([])
    expect((await readImage(receiver, 'app:1', { platform: 'amd64' })).layers).toEqual(app.layers)
  })

  test('that requires an unknown image is not made', async () => {
    const made = saveArchive(store, 'app:1', file('delta.tar'), { have: ['nobody:1'] })
    await expect(made).rejects.toMatchObject({ code: 'ERR_REFERENCE_NOT_FOUND' })
    expect(existsSync(file('delta.tar'))).toBe(false)
  })
})
