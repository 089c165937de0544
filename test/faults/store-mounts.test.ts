import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { checkStore, planCollection } from '../../lib/maintenance/index.ts'
import { memoryDirectory } from '../helpers/memory-directory.ts'
import { mount } from '../helpers/mount.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { readAll } from '../helpers/read-all.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

async function filledStore(path: string) {
  await using store = await openStore(path)
  const image = await putStoreImage(store)
  await store.references.set('app:1', image.manifest)
  return image
}

describe.skipIf(!needsRoot())('mounts', () => {
  test('ST-06: a store that is mounted read-only is read, checked and planned without a trace, and refuses writes', async () => {
    using directory = memoryDirectory('mounts')
    const path = join(directory.path, 'store')
    const { manifest, layer } = await filledStore(path)
    using _bound = mount(path, '--bind', '-o', 'ro', path)
    const tree = () =>
      readdirSync(path, { recursive: true, encoding: 'utf8' })
        .sort()
        .map(name => [name, statSync(join(path, name)).mtimeMs])
    const before = tree()
    for (const options of [{}, { readOnly: true }]) {
      const store = await openStore(path, options)
      expect(await store.references.get('app:1')).toEqual(manifest)
      expect((await readAll(store.read(layer.digest))).toString()).toBe('layer')
      expect((await checkStore(store)).sound).toBe(true)
      expect((await planCollection(store)).keep).toHaveLength(3)
      for (const act of [
        () => store.put(Buffer.from('x')),
        () => store.ingest('key'),
        () => store.references.set('app:2', manifest),
        () => store.references.delete('app:1'),
        () => store.delete(layer.digest),
      ]) {
        expect((await thrownBy(act)).code).toBe('ERR_STORE_READ_ONLY')
      }
      await store.close()
    }
    expect(tree()).toEqual(before)
  })

  test.each(['.layerstore/ingests', '.layerstore', 'blobs/sha256', 'blobs'])(
    'ST-07: %s on another file system is refused when the store is opened, and may be read',
    async part => {
      using directory = memoryDirectory('mounts')
      await filledStore(directory.path)
      using _other = mount(join(directory.path, part), '-t', 'tmpfs', 'none')
      const error = await thrownBy(() => openStore(directory.path))
      expect(error).toMatchObject({ code: 'ERR_STORE_FORMAT', message: expect.stringContaining(part) })
      await (await openStore(directory.path, { readOnly: true })).close()
      expect(readdirSync(join(directory.path, part))).toEqual([])
    },
  )
})
