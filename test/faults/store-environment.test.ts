import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { digestOf } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { LayerStoreError } from '../../lib/errors/index.ts'
import { checkStore, planCollection } from '../../lib/maintenance/index.ts'
import type { Store } from '../../lib/store/index.ts'
import { openFilesBelow } from '../helpers/open-handles.ts'
import { readAll } from '../helpers/read-all.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

let directory: ReturnType<typeof temporaryDirectory>
const at = (...parts: string[]) => join(directory.path, ...parts)
beforeEach(() => {
  directory = temporaryDirectory('environment')
})
afterEach(() => directory[Symbol.dispose]())

describe('ST-19: the directory of a store', () => {
  test('removed underneath: every call is a typed error or reports that nothing is there, and nothing hangs', async () => {
    const store = await openStore(at('store'))
    const { manifest, layer } = await putStoreImage(store)
    await store.references.set('app:1', manifest)
    rmSync(at('store'), { recursive: true })
    expect(await store.stat(layer.digest)).toBeUndefined()
    const calls: Record<string, () => Promise<unknown>> = {
      read: () => readAll(store.read(layer.digest)),
      put: () => store.put(Buffer.from('x')),
      ingest: async () => (await store.ingest('key')).abort(),
      get: () => store.references.get('app:1'),
      set: () => store.references.set('app:2', manifest),
      remove: () => store.references.delete('app:1'),
      plan: () => planCollection(store),
    }
    for (const [name, call] of Object.entries(calls)) {
      const error = await call().catch(error => error)
      if (error instanceof Error) expect(LayerStoreError.is(error), `${name}: ${error.stack}`).toBe(true)
    }
    const report = await checkStore(store)
    expect(report).toMatchObject({ sound: false, faults: [{ path: 'index.json' }, { path: 'oci-layout' }] })
    await store.close()
    expect(openFilesBelow(directory.path)).toEqual([])
  })

  test('replaced underneath: what is there now counts, and nothing of the old one is made up', async () => {
    const store = await openStore(at('store'))
    const { manifest } = await putStoreImage(store, 'old')
    await store.references.set('app:1', manifest)
    const other = await openStore(at('other'))
    await putStoreImage(other, 'new')
    await other.close()
    renameSync(at('store'), at('away'))
    renameSync(at('other'), at('store'))
    expect(await store.references.get('app:1')).toBeUndefined()
    expect((await thrownBy(() => store.references.set('app:1', manifest))).code).toBe('ERR_BLOB_NOT_FOUND')
    // The old directory had the unfinished puts; a store opened now knows none of them.
    expect((await thrownBy(() => store.put(Buffer.from('x')))).code).toBe('ERR_STORE_IO')
    await store.close()
    const again = await openStore(at('store'))
    await again.references.set('app:2', (await putStoreImage(again, 'new')).manifest)
    expect((await checkStore(again)).sound).toBe(true)
    await again.close()
  })

  test.each([0o077, 0o000, 0o027])('made under umask %o: blobs are read-only, ingests are private', async mask => {
    const before = process.umask(mask)
    try {
      const store = await openStore(at('store'))
      const { digest } = await store.put(Buffer.from('x'))
      const writer = await store.ingest('key')
      expect(statSync(at('store/blobs/sha256', digest.slice(7))).mode & 0o777).toBe(0o444)
      for (const name of readdirSync(at('store/.layerstore/ingests'))) {
        expect(statSync(at('store/.layerstore/ingests', name)).mode & 0o077).toBe(0)
      }
      expect(statSync(at('store/blobs')).mode & 0o777).toBe(0o777 & ~mask)
      await writer.abort()
      await store.close()
    } finally {
      process.umask(before)
    }
  })

  test('a setgid directory hands its bit on, and that changes nothing', async () => {
    mkdirSync(at('store'))
    chmodSync(at('store'), 0o2775)
    const store = await openStore(at('store'))
    const { manifest } = await putStoreImage(store)
    await store.references.set('app:1', manifest)
    expect(statSync(at('store/blobs')).mode & 0o2000).toBe(0o2000)
    expect((await checkStore(store)).sound).toBe(true)
    await store.close()
  })

  test('under a path that is not UTF-8, reached through a link', async () => {
    const real = Buffer.concat([Buffer.from(`${directory.path}/`), Buffer.from([0xff, 0xfe, 0x80])])
    mkdirSync(real)
    symlinkSync(real, at('link'))
    const store = await openStore(at('link', 'störe ☃'))
    const { manifest } = await putStoreImage(store)
    await store.references.set('app:1', manifest)
    expect((await checkStore(store)).sound).toBe(true)
    await store.close()
  })
})

describe('ST-23: a store that a newer version wrote', () => {
  test.each([{}, { readOnly: true }, { damaged: 'open' }] as const)(
    'is refused with %j, and not touched',
    async options => {
      const store = await openStore(at('store'))
      const { manifest } = await putStoreImage(store)
      await store.references.set('app:1', manifest)
      await store.close()
      writeFileSync(at('store/.layerstore/format.json'), '{"version":2,"more":"than we know"}')
      const tree = () =>
        readdirSync(at('store'), { recursive: true, encoding: 'utf8' })
          .sort()
          .map(name => [name, statSync(at('store', name)).mtimeMs])
      const before = tree()
      expect((await thrownBy(() => openStore(at('store'), options))).code).toBe('ERR_STORE_VERSION')
      expect(tree()).toEqual(before)
    },
  )
})

describe('ST-22: an ingest that is resumed', () => {
  const WHOLE = Buffer.concat([Buffer.alloc(400_000, 'first'), Buffer.alloc(300_000, 'second')])
  const begin = async (hasher: 'wasm' | 'native') => {
    const store = await openStore(at('store'), { hasher })
    {
      await using writer = await store.ingest('key')
      await writer.write(WHOLE.subarray(0, 400_000))
    }
    const [name] = readdirSync(at('store/.layerstore/ingests')).filter(one => !one.startsWith('put-'))
    return { store, data: at('store/.layerstore/ingests', name!, 'data') }
  }
  const finish = async (store: Store) => {
    const writer = await store.ingest('key')
    await writer.write(WHOLE.subarray(writer.offset))
    return writer.commit({ digest: await digestOf(WHOLE), size: WHOLE.byteLength })
  }

  test.each(['wasm', 'native'] as const)(
    'over data that was cut off or replaced begins anew, with %s',
    async hasher => {
      const { store, data } = await begin(hasher)
      const kept = readFileSync(data)
      for (const harm of [
        () => writeFileSync(data, kept.subarray(0, 399_999)),
        () => {
          rmSync(data)
          writeFileSync(data, kept)
        },
        () => rmSync(data),
      ]) {
        harm()
        const { digest } = await finish(store)
        expect((await readAll(store.read(digest))).equals(WHOLE)).toBe(true)
        await store.delete(digest)
        await using writer = await store.ingest('key')
        await writer.write(WHOLE.subarray(0, 400_000))
      }
      await store.close()
    },
  )

  test('over data in which a bit has flipped is not committed by a hasher that reads it back', async () => {
    const { store, data } = await begin('native')
    const bytes = readFileSync(data)
    bytes[1000]! ^= 1
    writeFileSync(data, bytes)
    expect((await thrownBy(() => finish(store))).code).toBe('ERR_DIGEST_MISMATCH')
    const { digest } = await finish(store)
    expect((await readAll(store.read(digest))).equals(WHOLE)).toBe(true)
    await store.close()
  })

  test('over data in which a bit has flipped is never given to a reader as right, with the saved hash state either', async () => {
    const { store, data } = await begin('wasm')
    const bytes = readFileSync(data)
    bytes[1000]! ^= 1
    writeFileSync(data, bytes)
    const outcome = await finish(store).catch(error => error)
    if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'ERR_DIGEST_MISMATCH' })
    else expect((await thrownBy(() => readAll(store.read(outcome.digest)))).code).toBe('ERR_BLOB_CORRUPT')
    await store.close()
  })
})
