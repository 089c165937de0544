import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { digestOf } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { createOwner } from '../../lib/internal/locks/owner.ts'
import type { Store } from '../../lib/store/index.ts'
import { settle } from '../helpers/settle.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

let directory: ReturnType<typeof temporaryDirectory>
let store: Store
const MIB = 1024 * 1024
const DAY = 24 * 3_600_000
const BYTES = Buffer.alloc(900_000, 'layerstore')

beforeEach(async () => {
  directory = temporaryDirectory('ingest')
  store = await openStore(directory.path)
})
afterEach(async () => {
  await store.close()
  directory[Symbol.dispose]()
})

const ingests = () => join(directory.path, '.layerstore/ingests')
const ingestDirectory = () => join(ingests(), readdirSync(ingests()).find(name => !name.startsWith('put-'))!)
const inIngest = (name: string) => join(ingestDirectory(), name)

async function leave(bytes = 600_000, options = {}): Promise<void> {
  await using writer = await store.ingest('key', options)
  await writer.write(BYTES.subarray(writer.offset, bytes))
}

async function finish(expectedOffset: number, options = {}): Promise<void> {
  const writer = await store.ingest('key', options)
  expect(writer.offset).toBe(expectedOffset)
  await writer.write(BYTES.subarray(writer.offset))
  const { digest } = await writer.commit({ size: BYTES.byteLength, digest: await digestOf(BYTES) })
  for await (const _ of store.read(digest, { verify: 'always' })) void _
}

describe('resuming', () => {
  test('does not read back the bytes that the saved state covers', async () => {
    await leave()
    const state = JSON.parse(readFileSync(inIngest('state.json'), 'utf8'))
    expect(state).toMatchObject({ version: 1, key: 'key', algorithm: 'sha256', offset: 600_000 })
    // Changes bytes that the saved state covers: a store that read them back would compute another digest.
    const data = readFileSync(inIngest('data'))
    writeFileSync(inIngest('data'), data.fill('x', 0, 10))
    const writer = await store.ingest('key')
    await writer.write(BYTES.subarray(600_000))
    expect((await writer.commit()).digest).toBe(await digestOf(BYTES))
  })

  test('with the native hasher reads the bytes back, and detects changes', async () => {
    await leave(600_000, { hasher: 'native' })
    expect(JSON.parse(readFileSync(inIngest('state.json'), 'utf8')).checkpoint).toBeUndefined()
    writeFileSync(inIngest('data'), readFileSync(inIngest('data')).fill('x', 0, 10))
    const writer = await store.ingest('key', { hasher: 'native' })
    await writer.write(BYTES.subarray(600_000))
    const error = await thrownBy(async () => writer.commit({ digest: await digestOf(BYTES) }))
    expect(error.code).toBe('ERR_DIGEST_MISMATCH')
  })

  test('discards the bytes written after the last checkpoint', async () => {
    await leave()
    writeFileSync(inIngest('data'), 'a tail that no state knows', { flag: 'a' })
    await finish(600_000)
  })

  const damages: Record<string, () => unknown> = {
    'the state is gone': () => rmSync(inIngest('state.json')),
    'the state is empty': () => writeFileSync(inIngest('state.json'), ''),
    'the state is no JSON': () => writeFileSync(inIngest('state.json'), '{'),
    'the state is null': () => writeFileSync(inIngest('state.json'), 'null'),
    'the state is of another version': () => patchState({ version: 2 }),
    'the state is of another key': () => patchState({ key: 'other' }),
    'the state has a wild offset': () => patchState({ offset: -5 }),
    'the state is ahead of its checkpoint': () => patchState({ offset: 600_001 }),
    'the hash state has a flipped bit': () => patchState({ checkpoint: { ...readState().checkpoint, state: 'AAAA' } }),
    'the data is gone': () => rmSync(inIngest('data')),
    'the data is shorter than the state says': () => truncateSync(inIngest('data'), 599_999),
    'the data is another file': () => {
      const data = readFileSync(inIngest('data'))
      writeFileSync(inIngest('copy'), data)
      rmSync(inIngest('data'))
      linkSync(inIngest('copy'), inIngest('data'))
      rmSync(inIngest('copy'))
    },
    'the data is a directory': () => {
      rmSync(inIngest('data'))
      mkdirSync(inIngest('data'))
    },
    'the data is a symbolic link': () => {
      rmSync(inIngest('data'))
      symlinkSync(join(directory.path, 'index.json'), inIngest('data'))
    },
  }
  const readState = () => JSON.parse(readFileSync(inIngest('state.json'), 'utf8'))
  const patchState = (members: object) =>
    writeFileSync(inIngest('state.json'), JSON.stringify({ ...readState(), ...members }))

  test.each(Object.entries(damages))('starts anew when %s', async (_, damage) => {
    await leave()
    await damage()
    await finish(0)
    expect(readFileSync(join(directory.path, 'index.json'), 'utf8')).toContain('schemaVersion')
  })

  test('never writes to a file that was published before its writer died', async () => {
    await leave()
    const { digest } = await store.put(readFileSync(inIngest('data')))
    const blob = join(directory.path, 'blobs/sha256', digest.slice(7))
    rmSync(blob)
    linkSync(inIngest('data'), blob)
    chmodSync(blob, 0o600)
    await finish(0)
    for await (const _ of store.read(digest, { verify: 'always' })) void _
    expect(statSync(blob).size).toBe(600_000)
  })

  test('an ingest without bytes leaves nothing to resume', async () => {
    await (await store.ingest('key'))[Symbol.asyncDispose]()
    expect(readdirSync(ingests())).toEqual([])
  })

  test('a writer that adds nothing keeps the earlier bytes', async () => {
    await leave(600_000)
    await leave(600_000)
    await finish(600_000)
  })
})

describe('checkpoints', () => {
  test('lose less than 16 MiB, and never count more bytes than the data file has', async () => {
    const chunk = Buffer.alloc(MIB, 'c')
    const writer = await store.ingest('key')
    const offsets = new Set<number>()
    for (let i = 0; i < 70; i++) {
      await writer.write(chunk)
      if (!existsSync(inIngest('state.json'))) continue
      const { offset, checkpoint } = JSON.parse(readFileSync(inIngest('state.json'), 'utf8'))
      expect(statSync(inIngest('data')).size).toBeGreaterThanOrEqual(offset)
      expect(checkpoint.bytes).toBe(offset)
      offsets.add(offset)
    }
    expect(offsets.size).toBeGreaterThanOrEqual(2)
    expect(Math.min(...offsets)).toBe(15 * MIB)
    await writer.abort()
  })

  test('work without durability too', async () => {
    await store.close()
    store = await openStore(directory.path, { durability: 'none' })
    const writer = await store.ingest('key')
    for (let i = 0; i < 17; i++) await writer.write(Buffer.alloc(MIB))
    await expect.poll(() => existsSync(inIngest('state.json'))).toBe(true)
    await writer.abort()
  })
})

describe('the owner of an ingest', () => {
  const plant = async (members: object) => {
    await leave()
    writeFileSync(inIngest('owner.json'), JSON.stringify({ ...(await createOwner()), ...members }))
  }

  test('keeps it while it lives, and the error names it', async () => {
    await plant({})
    const error = await thrownBy(() => store.ingest('key'))
    expect(error.code).toBe('ERR_INGEST_BUSY')
    expect(error.message).toContain(`process ${process.pid}`)
  })

  test('loses it when it is dead, and the bytes written are resumed', async () => {
    await plant({ pid: 2 ** 22 + 5, start: '1' })
    await finish(600_000)
  })

  test('makes a second writer wait until the signal fires', async () => {
    await plant({})
    const reason = new Error('enough')
    const controller = new AbortController()
    setTimeout(() => controller.abort(reason), 30)
    expect(await thrownBy(() => store.ingest('key', { wait: true, signal: controller.signal }))).toBe(reason)
    rmSync(inIngest('owner.json'))
    await finish(600_000)
  })

  test('cannot publish after a takeover, and does not change the ingest of the new owner', async () => {
    const writer = await store.ingest('key')
    await writer.write(BYTES)
    rmSync(inIngest('owner.json'))
    writeFileSync(inIngest('owner.json'), 'another owner')
    writeFileSync(inIngest('data'), 'bytes of another owner')
    expect((await thrownBy(() => writer.commit())).code).toBe('ERR_STORE_LOCKED')
    expect(readFileSync(inIngest('data'), 'utf8')).toBe('bytes of another owner')
    expect(readFileSync(inIngest('owner.json'), 'utf8')).toBe('another owner')
    for await (const _ of store.list()) expect.unreachable()
  })
})

describe('the sweep at opening', () => {
  const reopen = async () => {
    await store.close()
    store = await openStore(directory.path)
    await store.close()
    store = await openStore(directory.path)
  }
  const age = (path: string, ms: number) => {
    const then = new Date(Date.now() - ms)
    utimesSync(path, then, then)
  }

  test('removes an ingest without an owner that is older than a day', async () => {
    await leave()
    age(inIngest('data'), 2 * DAY)
    await reopen()
    await expect.poll(() => readdirSync(ingests())).toEqual([])
  })

  test('keeps an ingest that is younger, or has a living owner', async () => {
    await leave()
    age(inIngest('data'), DAY / 2)
    await reopen()
    expect(existsSync(inIngest('data'))).toBe(true)
    age(inIngest('data'), 2 * DAY)
    writeFileSync(inIngest('owner.json'), JSON.stringify(await createOwner()))
    await reopen()
    expect(existsSync(inIngest('data'))).toBe(true)
  })

  test('keeps everything when the store is opened read-only', async () => {
    await leave()
    age(inIngest('data'), 2 * DAY)
    const before = readdirSync(ingestDirectory()).sort()
    await store.close()
    store = await openStore(directory.path, { readOnly: true })
    await settle()
    expect(readdirSync(ingestDirectory()).sort()).toEqual(before)
  })

  test('removes the files of dead puts at once, and never those of living ones', async () => {
    const dead = { ...(await createOwner()), pid: 2 ** 22 + 5, start: '1' }
    mkdirSync(join(ingests(), 'put-dead'), { recursive: true })
    writeFileSync(join(ingests(), 'put-dead/owner.json'), JSON.stringify(dead))
    writeFileSync(join(ingests(), 'put-dead/1'), 'x'.repeat(1000))
    mkdirSync(join(ingests(), 'put-alive'))
    writeFileSync(join(ingests(), 'put-alive/owner.json'), JSON.stringify(await createOwner()))
    writeFileSync(join(ingests(), 'put-alive/1'), 'x')
    await store.close()
    store = await openStore(directory.path)
    await expect.poll(() => existsSync(join(ingests(), 'put-dead'))).toBe(false)
    expect(readFileSync(join(ingests(), 'put-alive/1'), 'utf8')).toBe('x')
  })

  test('removes old temporary files of this library, and no files of other programs', async () => {
    await leave()
    const below = [
      'locks/index',
      'locks/collect',
      'facts/sources%3ax',
      'indexes/x',
      'leases/1-ab.json',
      'unsynced/1.json',
    ]
    const ours = ['index.json', ...below.map(name => `.layerstore/${name}`)].map(name => `${name}.12-0123456789ab.tmp`)
    const others = ['index.json.bak', 'notes.tmp', 'notes.12-0123456789ab.tmp', '.layerstore/locks/notes.tmp']
    for (const name of ['facts', 'indexes', 'leases', 'unsynced']) mkdirSync(join(directory.path, '.layerstore', name))
    const young = 'index.json.13-0123456789ab.tmp'
    for (const name of [...ours, ...others, young]) {
      writeFileSync(join(directory.path, name), '')
      if (name !== young) age(join(directory.path, name), 2 * DAY)
    }
    await store.close()
    store = await openStore(directory.path)
    await expect.poll(() => ours.filter(name => existsSync(join(directory.path, name)))).toEqual([])
    for (const name of [...others, young]) expect(existsSync(join(directory.path, name))).toBe(true)
  })
})

describe('publishing', () => {
  test('replaces a file of the wrong size under the blob’s name', async () => {
    const { digest } = await store.put(BYTES)
    const path = join(directory.path, 'blobs/sha256', digest.slice(7))
    rmSync(path)
    writeFileSync(path, 'short')
    expect(await store.put(BYTES)).toEqual({ digest, size: BYTES.byteLength })
    for await (const _ of store.read(digest)) void _
  })

  test('reports a directory under the name of a blob, and leaves it', async () => {
    const { digest } = await store.put(BYTES)
    const path = join(directory.path, 'blobs/sha256', digest.slice(7))
    rmSync(path)
    mkdirSync(join(path, 'sub'), { recursive: true })
    expect(await thrownBy(() => store.put(BYTES))).toMatchObject({ code: 'ERR_STORE_IO', errno: 'EISDIR' })
    expect(existsSync(join(path, 'sub'))).toBe(true)
  })

  test('renews the time of an existing blob that is put again', async () => {
    const { digest, size } = await store.put(BYTES)
    const path = join(directory.path, 'blobs/sha256', digest.slice(7))
    for (const options of [{}, { digest, size }]) {
      utimesSync(path, new Date(0), new Date(0))
      await store.put(BYTES, options)
      expect(statSync(path).mtimeMs).toBeGreaterThan(Date.now() - 60_000)
    }
  })

  test('a store that is removed underneath fails by a typed error', async () => {
    await store.put(BYTES)
    rmSync(directory.path, { recursive: true })
    expect((await thrownBy(() => store.put(BYTES))).code).toBe('ERR_STORE_IO')
    expect((await thrownBy(() => store.references.get('app'))).code).toBe('ERR_STORE_FORMAT')
    await store.close()
  })

  test('closing while an ingest waits for its key ends in a closed store, not in a leaked writer', async () => {
    const writer = await store.ingest('key')
    const waiting = thrownBy(() => store.ingest('key', { wait: true }))
    await store.close()
    expect((await waiting).code).toBe('ERR_STORE_CLOSED')
    await writer.abort()
    expect(readdirSync(ingests())).toEqual([])
  })
})
