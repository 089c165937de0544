import { existsSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { digestOf } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { acquireLock, tryLock } from '../../lib/internal/locks/lock.ts'
import { createOwner, isGone } from '../../lib/internal/locks/owner.ts'
import { driverOf } from '../../lib/store/drivers/store-driver.ts'
import type { Store } from '../../lib/store/index.ts'
import { faults, systemError } from '../helpers/faulty-fs.ts'
import { openFilesBelow } from '../helpers/open-handles.ts'
import { settle } from '../helpers/settle.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

vi.mock('node:fs/promises', async original => {
  const { faultyFs } = await import('../helpers/faulty-fs.ts')
  return faultyFs(await original())
})
vi.mock('../../lib/disk-store/blobs/calls-at-once.ts', async original => {
  const { faultyFs } = await import('../helpers/faulty-fs.ts')
  return faultyFs(await original())
})

let directory: ReturnType<typeof temporaryDirectory>
let store: Store
const MIB = 1024 * 1024

beforeEach(async () => {
  directory = temporaryDirectory('faults')
  store = await openStore(directory.path)
})
afterEach(async () => {
  faults.reset()
  await store.close()
  expect(openFilesBelow(directory.path)).toEqual([])
  directory[Symbol.dispose]()
})

const failing = (call: string, code: string, path = '') =>
  faults.reset((name, _, first) => (name === call && String(first).includes(path) ? systemError(code) : undefined))
const ingests = () => readdirSync(join(directory.path, '.layerstore/ingests')).filter(name => !name.startsWith('put-'))
const drain = async (source: AsyncIterable<unknown>) => {
  for await (const _ of source) void _
}

test('a full disk fails the write and every later call, and loses only the bytes after the last checkpoint', async () => {
  {
    await using before = await store.ingest('key')
    await before.write(Buffer.alloc(1000))
  }
  const writer = await store.ingest('key')
  failing('handle.write', 'ENOSPC')
  const error = await thrownBy(() => writer.write(Buffer.alloc(MIB)))
  expect(error).toMatchObject({ code: 'ERR_STORE_IO', errno: 'ENOSPC' })
  expect(await thrownBy(() => writer.write(Buffer.alloc(1)))).toBe(error)
  expect(await thrownBy(() => writer.commit())).toBe(error)
  faults.reset()
  await writer[Symbol.asyncDispose]()
  const again = await store.ingest('key')
  expect(again.offset).toBe(1000)
  await again.abort()
})

test('a full disk fails a put, which frees its space', async () => {
  failing('handle.write', 'ENOSPC')
  expect(await thrownBy(() => store.put(Buffer.alloc(MIB)))).toMatchObject({ errno: 'ENOSPC' })
  faults.reset()
  const [session] = readdirSync(join(directory.path, '.layerstore/ingests'))
  expect(readdirSync(join(directory.path, '.layerstore/ingests', session!))).toEqual(['owner.json'])
})

test('the first failed sync is final: the bytes are discarded, nothing is published, no sync is retried', async () => {
  const writer = await store.ingest('key')
  await writer.write(Buffer.alloc(1000))
  failing('handle.sync', 'EIO')
  expect(await thrownBy(() => writer.commit())).toMatchObject({ code: 'ERR_STORE_IO', errno: 'EIO' })
  expect(faults.calls.filter(name => name === 'handle.sync')).toHaveLength(1)
  faults.reset()
  expect(ingests()).toEqual([])
  await drain(
    (async function* () {
      for await (const _ of store.list()) yield expect.unreachable()
    })(),
  )
})

test('a checkpoint that cannot be synced fails the next block, and nothing is kept', async () => {
  const writer = await store.ingest('key')
  failing('handle.datasync', 'EIO')
  for (let i = 0; i < 15; i++) await writer.write(Buffer.alloc(MIB))
  const write = () => writer.write(Buffer.alloc(MIB))
  await expect.poll(() => write().catch((error: unknown) => error)).toMatchObject({ errno: 'EIO' })
  faults.reset()
  await writer[Symbol.asyncDispose]()
  expect(ingests()).toEqual([])
})

test('a checkpoint that cannot be synced fails the commit that comes before the next write', async () => {
  const writer = await store.ingest('key')
  failing('handle.datasync', 'EIO')
  for (let i = 0; i < 15; i++) await writer.write(Buffer.alloc(MIB))
  expect(await thrownBy(() => writer.commit())).toMatchObject({ errno: 'EIO' })
})

test('a slow disk delays the transfer once it is a whole checkpoint behind', async () => {
  const writer = await store.ingest('key')
  let release!: () => void
  const slow = new Promise<void>(resolve => {
    release = resolve
  })
  faults.before = name => (name === 'handle.datasync' ? slow : undefined)
  let written = 0
  const writing = (async () => {
    for (; written < 60; written++) await writer.write(Buffer.alloc(MIB))
  })()
  await expect.poll(() => written).toBe(44)
  await settle()
  const held = written
  release()
  await writing
  await writer.abort()
  expect(held).toBe(44)
})

test('an abort between the sync and the publication publishes nothing, and the bytes can be resumed', async () => {
  const reason = new Error('enough')
  const controller = new AbortController()
  const writer = await store.ingest('key')
  await writer.write(Buffer.alloc(1000))
  faults.reset(name => {
    if (name === 'handle.sync') controller.abort(reason)
    return undefined
  })
  expect(await thrownBy(() => writer.commit({ signal: controller.signal }))).toBe(reason)
  faults.reset()
  const again = await store.ingest('key')
  expect(again.offset).toBe(1000)
  expect((await again.commit()).digest).toBe(await digestOf(Buffer.alloc(1000)))
})

test('an abort of a put at that point leaves nothing', async () => {
  const reason = new Error('enough')
  const controller = new AbortController()
  faults.reset(name => {
    if (name === 'handle.sync') controller.abort(reason)
    return undefined
  })
  expect(await thrownBy(() => store.put(Buffer.alloc(10), { signal: controller.signal }))).toBe(reason)
  faults.reset()
  await drain(
    (async function* () {
      for await (const _ of store.list()) yield expect.unreachable()
    })(),
  )
})

test('a disk error while reading is not corruption', async () => {
  const { digest } = await store.put(Buffer.alloc(MIB))
  for (const [call, code] of [
    ['handle.read', 'EIO'],
    ['open', 'EMFILE'],
    ['handle.stat', 'EIO'],
    ['open', 'EACCES'],
  ] as const) {
    failing(call, code)
    expect(await thrownBy(() => drain(store.read(digest)))).toMatchObject({ code: 'ERR_STORE_IO', errno: code })
  }
  failing('lstat', 'EIO')
  expect(await thrownBy(() => store.stat(digest))).toMatchObject({ code: 'ERR_STORE_IO', errno: 'EIO' })
  failing('opendir', 'EIO')
  expect(await thrownBy(() => drain(store.list()))).toMatchObject({ code: 'ERR_STORE_IO', errno: 'EIO' })
  failing('unlink', 'EIO')
  expect(await thrownBy(() => store.delete(digest))).toMatchObject({ code: 'ERR_STORE_IO', errno: 'EIO' })
  failing('open', 'EIO', 'index.json')
  expect(await thrownBy(() => store.references.get('app'))).toMatchObject({ code: 'ERR_STORE_IO', errno: 'EIO' })
})

test('a disk error while an ingest is resumed does not restart it', async () => {
  {
    await using writer = await store.ingest('key')
    await writer.write(Buffer.alloc(1000))
  }
  for (const [call, code, hasher] of [
    ['open', 'EIO', 'wasm'],
    ['open', 'EMFILE', 'wasm'],
    ['handle.truncate', 'EIO', 'wasm'],
    ['handle.read', 'EIO', 'native'],
    ['handle.stat', 'EIO', 'native'],
  ] as const) {
    failing(call, code, code === 'EMFILE' ? '/data' : call === 'open' ? 'state.json' : '')
    const error = await thrownBy(() => store.ingest('key', { hasher }))
    expect(error, call).toMatchObject({ code: 'ERR_STORE_IO', errno: code })
  }
  faults.reset()
  const writer = await store.ingest('key')
  expect(writer.offset).toBe(1000)
  await writer.abort()
})

test('an ingest whose file is read-only starts anew, as after a crash before publishing', async () => {
  {
    await using writer = await store.ingest('key')
    await writer.write(Buffer.alloc(1000))
  }
  let once = true
  faults.reset((name, _, path) => {
    if (!once || name !== 'open' || !String(path).endsWith('/data')) return undefined
    once = false
    return systemError('EACCES')
  })
  const writer = await store.ingest('key')
  expect(writer.offset).toBe(0)
  await writer.abort()
})

test('ST-06: a store on a read-only file system reads, and refuses writes', async () => {
  const { manifest } = await putStoreImage(store)
  await store.references.set('app:1', manifest)
  await store.close()
  faults.reset(name =>
    ['mkdir', 'writeFile', 'rename', 'link', 'unlink'].includes(name) ? systemError('EROFS') : undefined,
  )
  store = await openStore(directory.path)
  await drain(store.read(manifest.digest))
  expect(await store.references.get('app:1')).toEqual(manifest)
  for (const act of [
    () => store.put(Buffer.from('x')),
    () => store.ingest('key'),
    () => store.delete(manifest.digest),
    () => store.references.set('app:2', manifest),
  ]) {
    expect(await thrownBy(act)).toMatchObject({ code: 'ERR_STORE_READ_ONLY', errno: 'EROFS' })
  }
})

test('a blob whose time or mode cannot be changed is stored nevertheless', async () => {
  failing('lutimes', 'EPERM')
  const first = await store.put(Buffer.from('x'))
  expect(await store.put(Buffer.from('x'))).toEqual(first)
  failing('handle.chmod', 'ENOTSUP')
  const writer = await store.ingest('y')
  await writer.write(Buffer.from('y'))
  await writer.commit()
})

test('a lock that cannot be removed is moved out of the way', async () => {
  const path = join(directory.path, 'lock')
  const lock = await acquireLock(path)
  faults.reset((name, _, first) => (name === 'unlink' && first === path ? systemError('EIO') : undefined))
  await lock.release()
  faults.reset()
  expect(existsSync(path)).toBe(false)
  expect(await tryLock(path)).toHaveProperty('release')
})

test('a release that fails is retried until the error has passed, or rejects', async () => {
  const path = join(directory.path, 'lock')
  const lock = await acquireLock(path)
  let left = 2
  faults.reset(name => (name === 'lstat' && left-- > 0 ? systemError('EIO') : undefined))
  await lock.release()
  expect(existsSync(path)).toBe(false)
  const other = await acquireLock(path)
  failing('lstat', 'EIO')
  expect(await thrownBy(() => other.release())).toMatchObject({ code: 'EIO' })
  faults.reset()
  expect(existsSync(path)).toBe(true)
})

test('disk errors around a lock are not taken for a free or a dead one', async () => {
  const path = join(directory.path, 'lock')
  const lock = await acquireLock(path)
  failing('link', 'EIO')
  expect(await thrownBy(() => tryLock(path))).toMatchObject({ code: 'EIO' })
  failing('open', 'EIO', path)
  expect(await thrownBy(() => tryLock(path))).toMatchObject({ code: 'EIO' })
  failing('open', 'ENOENT', path)
  expect(await tryLock(path)).toEqual({ holder: 'another process' })
  faults.reset(name => (name === 'link' ? systemError('EPERM') : name === 'writeFile' ? undefined : undefined))
  expect(await tryLock(path)).toHaveProperty('holder')
  faults.reset()
  await lock.release()
})

test('a holder counts neither as alive nor as dead when the system does not answer', async () => {
  failing('readFile', 'EIO', '/proc/')
  const owner = { ...(await createOwner()), pid: 1 }
  expect(await thrownBy(() => isGone(owner, 0, directory.path))).toMatchObject({ code: 'EIO' })
  failing('readFile', 'EACCES', '/proc/')
  expect(await isGone(owner, 0, directory.path)).toBe(false)
  expect(await isGone({ ...owner, pid: 2 ** 22 + 5 }, 0, directory.path)).toBe(true)
})

test('an unreadable ingest of another user stops no collection and no count', async () => {
  await (await store.ingest('sha256:0'))[Symbol.asyncDispose]()
  {
    await using writer = await store.ingest('key')
    await writer.write(Buffer.from('of another user'))
  }
  const [name] = ingests()
  failing('open', 'EACCES', `${name}/state.json`)
  expect((await driverOf(store).collection!.roots()).ingests).toEqual([])
  failing('readdir', 'EACCES', String(name))
  expect(await driverOf(store).collection!.unfinished()).toEqual({ count: 0, bytes: 0 })
  failing('open', 'EIO', `${name}/state.json`)
  expect(await thrownBy(() => driverOf(store).collection!.roots())).toMatchObject({ errno: 'EIO' })
})

test('names of another kind than text are an error of the caller', async () => {
  expect((await thrownBy(() => store.references.get(undefined as never))).code).toBe('ERR_INVALID_ARGUMENT')
  expect(readFileSync(join(directory.path, 'index.json'), 'utf8')).toContain('manifests')
})

test('entries that another tool writes between the read and the write of the index are kept', async () => {
  const { manifest } = await putStoreImage(store)
  const theirs = { ...manifest, annotations: { 'org.opencontainers.image.ref.name': 'theirs' } }
  const index = join(directory.path, 'index.json')
  let reads = 0
  faults.reset((name, _, path) => {
    if (name === 'open' && path === index && ++reads === 2) {
      writeFileSync(index, JSON.stringify({ schemaVersion: 2, manifests: [theirs] }))
    }
    return undefined
  })
  await store.references.set('ours:1', manifest)
  expect(reads).toBe(4)
  expect(await store.references.get('theirs')).toEqual(manifest)
  expect(await store.references.get('ours:1')).toEqual(manifest)
})

test('an ingest whose directory is removed while it is opened creates it again', async () => {
  let once = true
  faults.reset((name, _, path) => {
    const at = String(path).indexOf('/owner.json')
    if (once && name === 'writeFile' && at > 0 && !String(path).includes('put-')) {
      once = false
      rmdirSync(String(path).slice(0, at))
    }
    return undefined
  })
  const writer = await store.ingest('key')
  expect(once).toBe(false)
  await writer.abort()
})

test('a takeover of a dead lock checks again under its guard, and does not replace a living lock', async () => {
  const path = join(directory.path, 'lock')
  writeFileSync(path, JSON.stringify({ ...(await createOwner()), pid: 2 ** 22 + 5, start: '1' }))
  let faster: Awaited<ReturnType<typeof acquireLock>> | undefined
  let once = true
  faults.before = (name, args) => {
    if (!once || name !== 'link' || args[1] !== `${path}.steal`) return undefined
    once = false
    // Between seeing the dead holder and being alone, another process takes the lock over.
    return acquireLock(path).then(lock => {
      faster = lock
    })
  }
  expect(await tryLock(path)).toHaveProperty('holder')
  expect(await faster?.isHeld()).toBe(true)
  await faster?.release()
})
