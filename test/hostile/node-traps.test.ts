import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { decompress } from '../../lib/compression/index.ts'
import { digestOf, parseDigest } from '../../lib/digest/index.ts'
import { composeConfig } from '../../lib/image/index.ts'
import { withFsyncLimit } from '../../lib/internal/concurrency/fsync-limit.ts'
import { parseStrictJson } from '../../lib/internal/strict-json.ts'
import { fromDirectory } from '../../lib/layer/index.ts'
import { parseConfig, parseManifest } from '../../lib/oci/index.ts'
import { removeTree } from '../../lib/rootfs/unpack/tree/remove-tree.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { writeTar } from '../../lib/tar/index.ts'
import { createFaultyRegistry, type RegistryFault } from '../../lib/testing/index.ts'
import { planPull, runPull } from '../../lib/transfer/index.ts'
import { directory, file, hardLink, symlink } from '../helpers/attacks/attack.ts'
import { listTree } from '../helpers/list-tree.ts'
import { rawTar } from '../helpers/raw-tar.ts'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleBlob } from '../helpers/sample-blob.ts'
import { sampleConfig, sampleManifest } from '../helpers/sample-documents.ts'
import { settle } from '../helpers/settle.ts'
import { type Script, startScriptedRegistry } from '../helpers/start-scripted-registry.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'
import { twentyLayers } from '../helpers/twenty-layers.ts'
import { type UnpackOutcome, unpackCase } from '../helpers/unpack-case.ts'

/* `reliability.md` 2.12 row by row: unexpected behaviour of Node, and proof that this library does not depend on it. */

const isRoot = process.geteuid?.() === 0
const { bytes, descriptor } = sampleBlob(200_000)
const fetchOnce = async (script: Script, tries = 1) => {
  await using server = await startScriptedRegistry(script)
  await using registry = registryClientFor({ retries: { tries } })
  return await readAll(registry.fetchBlob({ registry: server.host, repository: 'a' }, descriptor))
}
const half = (response: ServerResponse) => {
  response.writeHead(200, { 'content-type': 'application/octet-stream' }).write(bytes.subarray(0, 100_000), () => {
    setTimeout(() => response.destroy(), 20)
  })
}
const sourceFiles = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.ts'))
    .map(path => join(directory, path))
const linesWith = (pattern: RegExp, directory = 'lib') =>
  sourceFiles(directory).flatMap(path =>
    readFileSync(path, 'utf8')
      .split('\n')
      .filter(line => pattern.test(line) && !/^\s*(\/\/|\*|\/\*)/.test(line))
      .map(line => `${path}: ${line.trim()}`),
  )

describe('HTTP', () => {
  test('fetch: truncated chunked: a body cut before its last chunk is never taken for whole', async () => {
    expect(await thrownBy(() => fetchOnce((_, response) => half(response)))).toMatchObject({ code: 'ERR_NETWORK' })
    const whole = await fetchOnce((request, response, number) => {
      if (number === 0) return half(response)
      const from = Number(/\d+/.exec(request.headers.range!)![0])
      const headers = { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }
      response.writeHead(206, headers).end(bytes.subarray(from))
    }, 5)
    expect(whole.equals(bytes)).toBe(true)
    expect(linesWith(/(?:await|return|=|\() ?(?:globalThis\.)?fetch\(/)).toEqual([])
  })

  test.each(['gzip', 'x-gzip'])(
    'fetch: Content-Encoding %s: what is stored is what was on the wire',
    async encoding => {
      const packed = gzipSync(Buffer.alloc(5000))
      const blob = { ...descriptor, digest: parseDigest(`sha256:${'0'.repeat(64)}`), size: packed.length }
      await using server = await startScriptedRegistry((_, response) =>
        response.writeHead(200, { 'content-encoding': encoding, 'content-length': packed.length }).end(packed),
      )
      await using registry = registryClientFor()
      const got = await readAll(registry.fetchBlob({ registry: server.host, repository: 'a' }, blob))
      expect(got.equals(packed)).toBe(true)
      expect(server.seen[0]!.headers['accept-encoding']).toBe('identity')
    },
  )

  test('fetch redirect: credentials stay with host and port, and ten hops are enough', async () => {
    await using other = await startScriptedRegistry((_, response) => response.writeHead(200).end(bytes))
    await using server = await startScriptedRegistry((request, response) => {
      if (!request.headers.authorization)
        return response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
      const to = request.url?.includes('/loop/') ? request.url : `http://${other.host}/blob`
      return response.writeHead(307, { location: to }).end()
    })
    await using registry = registryClientFor({
      credentials: { [server.host]: { username: 'ann', password: 'secret' } },
    })
    const read = (repository: string) => readAll(registry.fetchBlob({ registry: server.host, repository }, descriptor))
    expect((await read('a')).equals(bytes)).toBe(true)
    expect(other.seen[0]!.headers.authorization).toBeUndefined()
    expect(await thrownBy(() => read('loop'))).toMatchObject({ code: 'ERR_PROTOCOL' })
    expect(server.seen.filter(({ path }) => path.includes('/loop/')).length).toBeLessThanOrEqual(11)
  })

  test('http EOF without length: a body that just ends is held to the size of its blob', async () => {
    const short: Script = (_, response) => {
      response.shouldKeepAlive = false
      response.useChunkedEncodingByDefault = false
      response.writeHead(200, { connection: 'close' }).end(bytes.subarray(0, 100_000))
    }
    expect(await thrownBy(() => fetchOnce(short))).toMatchObject({ code: 'ERR_NETWORK' })
  })
})

describe('zlib', () => {
  const [one, two] = [gzipSync('one'), gzipSync('two')] as const

  test('zlib.createGunzip: a zero byte after a member is no end that hides the next one', async () => {
    const read = (all: Buffer) => readAll(decompress(all, { type: 'gzip' }))
    expect((await read(Buffer.concat([one, two]))).toString()).toBe('onetwo')
    for (const filler of [Buffer.alloc(1), Buffer.alloc(512), Buffer.from('x')]) {
      expect(await thrownBy(() => read(Buffer.concat([one, filler, two])))).toMatchObject({
        code: 'ERR_INVALID_COMPRESSION',
      })
    }
  })

  test('zlib default limits: what comes out is counted and stopped', async () => {
    const bomb = gzipSync(Buffer.alloc(16 * 1024 * 1024))
    let seen = 0
    const read = async () => {
      for await (const chunk of decompress(bomb, { maxBytes: 1_000_000 })) seen += chunk.byteLength
    }
    expect(await thrownBy(read)).toMatchObject({ code: 'ERR_LIMIT_EXCEEDED' })
    expect(seen).toBeLessThanOrEqual(1_000_000)
  })
})

describe('JSON and text', () => {
  const strict = (text: string | Buffer) => parseStrictJson(Buffer.from(text as string))

  test('JSON.parse: depth, keys that come twice and whole numbers beyond 2^53 are refused before anything is built', async () => {
    for (const text of ['['.repeat(200_000), '{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '{"__proto__":1,"__proto__":2}']) {
      expect((await thrownBy(() => strict(text))).name).toBe('Error')
    }
    const document = JSON.stringify(sampleManifest()).replace('"size":0', '"size":9007199254740993')
    expect(await thrownBy(() => parseManifest(Buffer.from(document)))).toMatchObject({ code: 'ERR_INVALID_MANIFEST' })
  })

  test('Object.assign / o[k]=v with __proto__: a name like that is a name', () => {
    const labels = '{"__proto__":"a","constructor":"b","toString":"c"}'
    const text = JSON.stringify(sampleConfig({ config: { Labels: {} } })).replace('"Labels":{}', `"Labels":${labels}`)
    const base = parseConfig(Buffer.from(text))
    const config = composeConfig({ base, config: { Labels: { x: 'y' } } })
    const result = config.config!.Labels!
    expect(Object.keys(result).sort()).toEqual(['__proto__', 'constructor', 'toString', 'x'])
    expect(JSON.stringify(result)).toContain('"__proto__":"a"')
    expect(({} as Record<string, unknown>).a).toBeUndefined()
    expect(Object.getPrototypeOf({})).toBe(Object.prototype)
  })

  test('JSON.stringify / structuredClone deep: nothing gets in that they could not take', () => {
    const deep = `${'{"a":'.repeat(60)}1${'}'.repeat(60)}`
    const value = strict(deep)
    expect(JSON.stringify(structuredClone(value))).toBe(deep)
    expect(() => strict(`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`)).toThrow('nested deeper than 64')
  })

  test('TextDecoder default: no mark is dropped, no byte replaced', async () => {
    for (const text of [
      Buffer.from('\ufeff{}'),
      Buffer.from([0x22, 0xff, 0x22]),
      Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]),
    ]) {
      expect((await thrownBy(() => strict(text))).message).toMatch(/byte order mark|not valid UTF-8/)
    }
    expect(linesWith(/new TextDecoder\((?!'utf-8', \{ fatal: true, ignoreBOM: true \}\))/)).toEqual([])
  })

  test('Buffer.from(base64/hex): what is not of that alphabet is refused', async () => {
    const digest = `sha256:${'0'.repeat(63)}g`
    expect(await thrownBy(() => parseDigest(digest))).toMatchObject({ code: 'ERR_INVALID_DIGEST' })
    const data = { ...(sampleManifest().config as object), size: 3, data: 'YW5*' }
    const document = Buffer.from(JSON.stringify(sampleManifest({ config: data })))
    expect(await thrownBy(() => parseManifest(document))).toMatchObject({ code: 'ERR_INVALID_MANIFEST' })
    // Only what a hasher has just returned, what a program of this library has printed, and what the kernel lists may
    // be decoded without a check of its alphabet. The bundle of certificates has a check of its own.
    const places = linesWith(/Buffer\.from\([^)]*'hex'\)/).map(line => line.split(': ')[0])
    expect([...new Set(places)].sort()).toEqual([
      'lib/layer/indexing/index-columns.ts',
      'lib/rootfs/xattrs/read-xattrs-of.ts',
      'lib/sandbox/executors/platforms/interpreters.ts',
      'lib/trust/verify/certificate-bundle.ts',
    ])
  })
})

describe('files', () => {
  /** Skipped details without owners, which only root can set. */
  const notOwners = ({ report }: UnpackOutcome) => report!.skipped.filter(({ what }) => isRoot || what !== 'owner')
  const tree = (root: string) => Object.fromEntries(listTree(root).map(entry => [entry.path, entry]))

  test('fs.chmod: follows symlinks; ours never does', async () => {
    using out = await unpackCase(({ outside }) => [
      [symlink('l', `${outside}/secret`, { mode: 0o777 }), hardLink('h', 'l', { mode: 0o777 })],
      [symlink('d', outside), directory('d', { mode: 0o777 }), file('d/x')],
    ])
    expect([out.canary, out.error]).toEqual(['untouched', undefined])
    expect(statSync(join(out.outside, 'secret')).mode & 0o777).toBe(0o640)
  })

  test('fs.utimes negative: would be now; it is left out and reported', async () => {
    using out = await unpackCase(() => [[file('f', 'x', { mtime: -5 })]])
    expect(notOwners(out)).toMatchObject([{ what: 'mtime', path: 'f' }])
  })

  test('fs.utimes ns: a layer keeps its times although a file on disk cannot', async () => {
    const layer = rawTar([file('f', 'x', { pax: { mtime: '1600000000.123456789' } })])
    await using store = createMemoryStore()
    const { digest } = await store.put(layer)
    using out = await unpackCase(() => [layer])
    expect(out.error).toBeUndefined()
    const { mtimeNs } = statSync(join(out.root, 'f'), { bigint: true })
    expect(mtimeNs / 1000n).toBe(1_600_000_000_123_456n)
    expect((await readAll(store.read(digest))).equals(layer)).toBe(true)
  })

  test('ext4 mtime > 2446: is not clamped in silence', async () => {
    using out = await unpackCase(() => [[file('f', 'x', { mtime: 99_999_999_999 })]])
    expect(notOwners(out)).toMatchObject([{ what: 'mtime', path: 'f' }])
  })

  test('lchown 2^32-1: would change nothing; it is refused', async () => {
    using out = await unpackCase(() => [[file('f', 'x', { uid: 0xffff_ffff })]])
    expect(out.error).toMatchObject({ code: 'ERR_INVALID_TAR' })
  })

  test('fs.link to symlink: the link itself gets the second name', async () => {
    using out = await unpackCase(({ outside }) => [[symlink('l', `${outside}/secret`), hardLink('h', 'l')]])
    expect(tree(out.root)).toMatchObject({ h: { kind: 'symlink' }, l: { kind: 'symlink', sameAs: 'h' } })
    expect(out.canary).toBe('untouched')
  })

  test('fs.mkdir recursive, fs.writeFile: follow symlinks; neither is used in a root', async () => {
    using out = await unpackCase(({ outside }) => [[symlink('d', outside)], [file('d/a/b/c'), directory('d/e/f')]])
    expect(out.canary).toBe('untouched')
    expect(linesWith(/\b(writeFile|appendFile|cp|copyFile)(Sync)?\(/, 'lib/rootfs')).toEqual([])
  })

  test('fs.rm recursive: a tree is removed, what its links lead to is not', () => {
    using place = temporaryDirectory('traps')
    mkdirSync(join(place.path, 'outside'))
    writeFileSync(join(place.path, 'outside/f'), '')
    mkdirSync(join(place.path, 'tree/d'), { recursive: true })
    symlinkSync(join(place.path, 'outside'), join(place.path, 'tree/d/l'))
    removeTree(join(place.path, 'tree'), 'proc')
    expect([readdirSync(place.path), readdirSync(join(place.path, 'outside'))]).toEqual([['outside'], ['f']])
  })

  test('readdir as string: names that are no UTF-8 keep their bytes, and their files are read', async () => {
    using place = temporaryDirectory('traps')
    writeFileSync(Buffer.concat([Buffer.from(`${place.path}/`), Buffer.from([0x63, 0xe9])]), 'latin')
    const archive = await readAll(writeTar(fromDirectory(place.path)))
    expect(archive.includes(Buffer.from([0x63, 0xe9]))).toBe(true)
    expect(archive.includes('latin')).toBe(true)
  })

  test('missing syscalls: what cannot be made here is reported, not lost', async () => {
    using out = await unpackCase(
      () => [
        [{ path: 'null', type: '3', major: 1, minor: 3 }, directory('d', { pax: { 'SCHILY.xattr.nowhere.x': 'y' } })],
      ],
      { devices: 'skip' },
    )
    expect(
      notOwners(out)
        .map(({ what, path }) => `${what} ${path}`)
        .sort(),
    ).toEqual(['device null', 'xattr d'])
  })
})

describe('the event loop', () => {
  test('crypto hash on main thread: others get their turn while 64 MiB are hashed', async () => {
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    const piece = Buffer.alloc(1024 * 1024)
    await digestOf(Array.from({ length: 64 }, () => piece))
    clearInterval(timer)
    expect(turns).toBeGreaterThan(4)
  })

  test('threadpool 4: syncs leave a thread to everything else', async () => {
    let [now, most] = [0, 0]
    const sync = async () => {
      most = Math.max(most, ++now)
      await new Promise(resolve => setTimeout(resolve, 5))
      now--
    }
    await Promise.all(Array.from({ length: 20 }, () => withFsyncLimit(sync)))
    expect(most).toBe(3)
    expect(linesWith(/\.(data)?sync\(\)/).length).toBeGreaterThan(5)
    expect(linesWith(/\.(data)?sync\(\)/).filter(line => !line.includes('withFsyncLimit('))).toEqual([])
  })

  test('unhandled stream errors: no failure of a registry goes unhandled', async () => {
    const image = twentyLayers(100_000, 3)
    const remote = createMemoryStore()
    for (const one of image.blobs) await remote.put(one.bytes)
    await remote.put(image.manifest.bytes)
    await remote.references.set('app:1', image.manifest.descriptor)
    const faults: RegistryFault[] = [
      { kind: 'cut', after: 0 },
      { kind: 'cut', after: 50_000 },
      { kind: 'stall', after: 10 },
      { kind: 'flip', at: 5 },
      { kind: 'short-body', by: 7 },
      { kind: 'answer', status: 500 },
      { kind: 'lost-answer' },
    ]
    const unhandled: unknown[] = []
    const note = (reason: unknown) => void unhandled.push(reason)
    process.on('unhandledRejection', note).on('uncaughtException', note)
    try {
      for (const fault of faults) {
        await using registry = await createFaultyRegistry({ store: remote })
        await using client = registryClientFor({ timeouts: { idleMs: 100 }, retries: { tries: 2 } })
        registry.misbehave(fault, { path: /blobs/, times: 5 })
        const target = createMemoryStore()
        const plan = await planPull(client, target, `${registry.host}/app:1`)
        await runPull(plan).catch(() => undefined)
      }
      await settle()
    } finally {
      process.off('unhandledRejection', note).off('uncaughtException', note)
    }
    expect(unhandled).toEqual([])
  })
})
