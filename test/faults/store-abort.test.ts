import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { checkStore, repairFromStore, repairStore } from '../../lib/maintenance/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { faults, systemError } from '../helpers/faulty-fs.ts'
import { memoryDirectory } from '../helpers/memory-directory.ts'
import { openFilesBelow } from '../helpers/open-handles.ts'
import { readAll } from '../helpers/read-all.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { blobPath, damageBlob } from '../helpers/store-subjects.ts'
import { sweep } from '../helpers/sweep.ts'

vi.mock('node:fs/promises', async original => {
  const { faultyFs } = await import('../helpers/faulty-fs.ts')
  return faultyFs(await original())
})
vi.mock('../../lib/disk-store/blobs/calls-at-once.ts', async original => {
  const { faultyFs } = await import('../helpers/faulty-fs.ts')
  return faultyFs(await original())
})
afterEach(() => faults.reset())

const REASON = new Error('enough')
const LAYER = Buffer.alloc(1_200_000, 'layer')

type Act = (store: Store, signal: AbortSignal, image: Awaited<ReturnType<typeof putStoreImage>>) => Promise<unknown>

const ACTS: Record<string, Act> = {
  put: (store, signal) => store.put([LAYER.subarray(1), LAYER.subarray(2)], { signal }),
  'a write that is resumed': async (store, signal) => {
    await using writer = await store.ingest('key', { wait: true, signal })
    await writer.write(LAYER.subarray(writer.offset + 1))
    return writer.commit({ signal })
  },
  read: (store, signal, { layer }) => readAll(store.read(layer.digest, { signal })),
  'setting a name': (store, signal, { manifest }) => store.references.set('app:2', manifest, { signal }),
  'listing blobs': async (store, signal) => {
    for await (const _ of store.list({ signal })) void _
  },
  'a lease': async (store, signal, { layer }) => {
    await using _lease = await store.leases.hold({ digests: [layer.digest], signal })
  },
  'a check': (store, signal) => checkStore(store, { signal, quarantine: true }),
  'a repair': async (store, signal, { layer }) => {
    const elsewhere = createMemoryStore()
    await putStoreImage(elsewhere, LAYER)
    const problem = {
      class: 'corrupt',
      path: '',
      expected: '',
      actual: '',
      reason: '',
      digest: layer.digest,
      descriptor: layer,
    }
    const report = {
      kind: 'check',
      version: 1,
      sound: false,
      names: 0,
      blobs: 0,
      bytes: 0,
      problems: [problem],
      faults: [],
    }
    return repairStore(store, { ...report, resumed: false, counts: {} } as never, [repairFromStore(elsewhere)], {
      signal,
    })
  },
}

/** Runs an act and aborts it at its n-th file system call. Resolves to whether that call came. */
async function stopAt(act: Act, n: number, prepare: (path: string, digest: never) => void): Promise<boolean> {
  using directory = memoryDirectory('abort')
  const store = await openStore(directory.path, { durability: 'none' })
  const image = await putStoreImage(store, LAYER)
  await store.references.set('app:1', image.manifest)
  prepare(directory.path, image.layer.digest as never)
  const stop = new AbortController()
  faults.reset((_, count) => {
    if (count === n) stop.abort(REASON)
    return undefined
  })
  await act(store, stop.signal, image).then(
    () => undefined,
    error => expect(error, `at call ${n}`).toBe(REASON),
  )
  faults.reset()
  await store.close()
  expect(openFilesBelow(directory.path), `at call ${n}`).toEqual([])
  const after = await openStore(directory.path)
  await act(after, new AbortController().signal, image)
  const { problems } = await checkStore(after)
  expect(problems.filter(problem => problem.class === 'missing' || problem.class === 'short')).toEqual([])
  await after.close()
  expect(readdirSync(join(directory.path, '.layerstore/ingests'))).toEqual([])
  return stop.signal.aborted
}

for (const [name, act] of Object.entries(ACTS)) {
  test(`ST-18: ${name} that is told to stop, at any moment, stops with the reason and holds nothing`, {
    timeout: 240_000,
  }, async () => {
    const prepare = (path: string, digest: never) => {
      if (name === 'a repair') damageBlob(path, digest, 'flip')
    }
    const step = sweep(1, 6)
    let [n, stops] = [1 + (name.length % step), 0]
    for (; await stopAt(act, n, prepare); n += step) stops++
    expect(n).toBeGreaterThan(name === 'listing blobs' ? 2 : 3)
    console.log(`${name}: told to stop ${stops} times`)
  })
}

test('ST-04: a blob that the system cannot read is no corrupt one: nothing is moved, by a read, a check or a repair', async () => {
  using directory = memoryDirectory('eio')
  const store = await openStore(directory.path, { onCorrupt: 'quarantine' })
  const image = await putStoreImage(store, LAYER)
  await store.references.set('app:1', image.manifest)
  const name = image.layer.digest.slice(7)
  let open = false
  faults.next = (call, _, path) => {
    if (call === 'open') open = String(path).includes(name)
    return call === 'handle.read' && open ? systemError('EIO') : undefined
  }
  await expect(readAll(store.read(image.layer.digest))).rejects.toMatchObject({ code: 'ERR_STORE_IO', errno: 'EIO' })
  const report = await checkStore(store, { quarantine: true, concurrency: 1 })
  expect(report).toMatchObject({
    sound: false,
    problems: [],
    faults: [
      { digest: image.layer.digest, code: 'ERR_STORE_IO', errno: 'EIO', reason: 'tag app:1 → manifest → layer' },
    ],
  })
  const elsewhere = createMemoryStore()
  await putStoreImage(elsewhere, LAYER)
  const { repaired, quarantined, unrepaired } = await repairStore(store, report, [repairFromStore(elsewhere)])
  expect([repaired, quarantined, unrepaired.length]).toEqual([[], [], 1])
  const problem = {
    class: 'corrupt',
    path: '',
    expected: '',
    actual: '',
    reason: '',
    digest: image.layer.digest,
  } as const
  await expect(repairStore(store, { ...report, problems: [problem] }, [])).rejects.toMatchObject({ errno: 'EIO' })
  faults.reset()
  expect((await checkStore(store)).sound).toBe(true)
  rmSync(blobPath(directory.path, image.layer.digest))
  await store.close()
})

test('a check of a store that cannot be listed rejects, and one that cannot move a blob says so', async () => {
  using directory = memoryDirectory('eio')
  const store = await openStore(directory.path, { onCorrupt: 'quarantine' })
  const image = await putStoreImage(store, LAYER)
  await store.references.set('app:1', image.manifest)
  faults.next = call => (call === 'opendir' ? systemError('EIO') : undefined)
  await expect(checkStore(store)).rejects.toMatchObject({ code: 'ERR_STORE_IO', errno: 'EIO' })
  damageBlob(directory.path, image.layer.digest, 'flip')
  faults.next = call => (call === 'rename' ? systemError('EIO') : undefined)
  await expect(readAll(store.read(image.layer.digest))).rejects.toMatchObject({
    code: 'ERR_BLOB_CORRUPT',
    quarantinedTo: undefined,
  })
  await expect(checkStore(store, { quarantine: true })).rejects.toMatchObject({ code: 'ERR_STORE_IO', errno: 'EIO' })
  faults.reset()
  await store.close()
})
