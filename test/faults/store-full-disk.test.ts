import { readdirSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { checkStore, planCollection, runCollection } from '../../lib/maintenance/index.ts'
import type { Store } from '../../lib/store/index.ts'
import { ageBlobs } from '../helpers/age-blobs.ts'
import { mount } from '../helpers/mount.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const MIB = 1024 * 1024
const HOUR = 3_600_000

/** Bytes of a given size, different for each number. */
const bytesOf = (i: number, size: number) => Buffer.alloc(size, `${i} is not like the others `)

/** Puts smaller and smaller blobs until none fits; resolves to the first error. */
async function fill(store: Store): Promise<unknown> {
  let first: unknown
  let i = 0
  for (let size = 300_000; size > 100; size = Math.floor(size / 3)) {
    for (;;) {
      const error = await store.put(bytesOf(i++, size)).then(
        () => undefined,
        failed => failed,
      )
      if (!error) continue
      first ??= error
      expect(error).toMatchObject({ code: 'ERR_STORE_IO', errno: 'ENOSPC' })
      break
    }
  }
  return first
}

const leftovers = (path: string) =>
  readdirSync(join(path, '.layerstore/ingests'), { recursive: true, encoding: 'utf8' }).filter(
    name => !/^put-[^/]+(\/owner\.json)?$/.test(name),
  )

describe.skipIf(!needsRoot())('ST-03: a disk that is really full', () => {
  test('a put is a typed error that leaves nothing, what is there stays right, and a collection gives the space back', async () => {
    using directory = temporaryDirectory('full')
    using disk = mount(join(directory.path, 'disk'), '-t', 'tmpfs', '-o', 'size=4m', 'none')
    const store = await openStore(disk.path)
    const { manifest } = await putStoreImage(store)
    await store.references.set('app:1', manifest)
    const error = await fill(store)
    expect(String((error as Error).message)).toContain('.layerstore/ingests/put-')
    expect(leftovers(disk.path)).toEqual([])
    expect(statfsSync(disk.path).bfree).toBe(0)
    expect((await thrownBy(() => store.references.set('app:2', manifest))).code).toBe('ERR_STORE_IO')
    await store.close()

    // Another process opens the full store, reads, checks and collects without a free byte.
    const full = await openStore(disk.path)
    expect(await full.references.get('app:1')).toEqual(manifest)
    expect(await full.references.get('app:2')).toBeUndefined()
    const { problems, faults } = await checkStore(full)
    expect([problems.filter(problem => problem.class !== 'orphan'), faults]).toEqual([[], []])
    ageBlobs(disk.path, 2 * HOUR)
    const { bytesFreed, errors } = await runCollection(full, await planCollection(full))
    expect(errors).toEqual([])
    expect(bytesFreed).toBeGreaterThan(3 * MIB)
    await full.put(bytesOf(0, 2 * MIB))
    await full.references.set('app:2', manifest)
    expect((await checkStore(full)).problems.filter(problem => problem.class !== 'orphan')).toEqual([])
    await full.close()
  })

  test('an ingest keeps what has found room, and is finished when there is more', async () => {
    using directory = temporaryDirectory('full')
    using disk = mount(join(directory.path, 'disk'), '-t', 'tmpfs', '-o', 'size=3m', 'none')
    await using store = await openStore(disk.path)
    const { digest } = await store.put(bytesOf(1, 1.5 * MIB))
    {
      await using writer = await store.ingest('key')
      await writer.write(bytesOf(2, MIB / 2))
    }
    const writer = await store.ingest('key')
    expect(writer.offset).toBe(MIB / 2)
    expect(await thrownBy(() => writer.write(bytesOf(2, 2 * MIB)))).toMatchObject({ errno: 'ENOSPC' })
    await writer[Symbol.asyncDispose]()
    await store.delete(digest)
    const again = await store.ingest('key')
    expect(again.offset).toBe(MIB / 2)
    await again.write(bytesOf(2, MIB))
    expect((await again.commit()).size).toBe(1.5 * MIB)
  })

  test('a blob that cannot fit is refused before its source is read, and the bytes of an earlier attempt stay', async () => {
    using directory = temporaryDirectory('full')
    using disk = mount(join(directory.path, 'disk'), '-t', 'tmpfs', '-o', 'size=3m', 'none')
    await using store = await openStore(disk.path)
    let read = false
    async function* source() {
      read = true
      yield Buffer.alloc(1)
    }
    const error = await thrownBy(() => store.put(source(), { size: 4 * MIB }))
    expect(error).toMatchObject({ code: 'ERR_STORE_IO', errno: 'ENOSPC', message: expect.stringContaining('4194304') })
    expect(read).toBe(false)
    {
      await using writer = await store.ingest('key', { size: 2 * MIB })
      await writer.write(bytesOf(2, MIB))
    }
    expect(await thrownBy(() => store.ingest('key', { size: 4 * MIB }))).toMatchObject({ errno: 'ENOSPC' })
    const writer = await store.ingest('key', { size: 2 * MIB })
    expect(writer.offset).toBe(MIB)
    await writer.abort()
  })

  test('a file system without a free inode: a typed error, and a collection makes room', async () => {
    using directory = temporaryDirectory('full')
    using disk = mount(join(directory.path, 'disk'), '-t', 'tmpfs', '-o', 'size=200m,nr_inodes=60', 'none')
    await using store = await openStore(disk.path)
    const { manifest } = await putStoreImage(store)
    await store.references.set('app:1', manifest)
    // The first collection creates the trash directory.
    await runCollection(store, await planCollection(store))
    await fill(store)
    expect(statfsSync(disk.path).ffree).toBeLessThan(2)
    expect((await thrownBy(() => store.ingest('key'))).code).toBe('ERR_STORE_IO')
    expect(leftovers(disk.path)).toEqual([])
    ageBlobs(disk.path, 2 * HOUR)
    const { deleted, errors } = await runCollection(store, await planCollection(store))
    expect(errors).toEqual([])
    expect(deleted.length).toBeGreaterThan(10)
    await (await store.ingest('key')).abort()
    expect((await checkStore(store)).sound).toBe(true)
  })
})
