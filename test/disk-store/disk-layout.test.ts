import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

let directory: ReturnType<typeof temporaryDirectory>
const at = (...parts: string[]) => join(directory.path, ...parts)
const treeOf = (path: string) => readdirSync(path, { recursive: true, encoding: 'utf8' }).sort()
const EMPTY_INDEX = '{"schemaVersion":2,"manifests":[]}'

beforeEach(() => {
  directory = temporaryDirectory('layout')
})
afterEach(() => directory[Symbol.dispose]())

function writeLayout(index = EMPTY_INDEX, layout = '{"imageLayoutVersion":"1.0.0"}'): void {
  writeFileSync(at('oci-layout'), layout)
  writeFileSync(at('index.json'), index)
  mkdirSync(at('blobs/sha256'), { recursive: true })
}

describe('creating a store', () => {
  test('an absent directory becomes a valid, empty image layout', async () => {
    await (await openStore(at('deep', 'new'))).close()
    expect(JSON.parse(readFileSync(at('deep/new/oci-layout'), 'utf8'))).toEqual({ imageLayoutVersion: '1.0.0' })
    expect(JSON.parse(readFileSync(at('deep/new/index.json'), 'utf8'))).toEqual({ schemaVersion: 2, manifests: [] })
    expect(JSON.parse(readFileSync(at('deep/new/.layerstore/format.json'), 'utf8'))).toEqual({ version: 1 })
  })

  test('the path may be relative, and the working directory may change afterwards', async () => {
    const before = process.cwd()
    process.chdir(directory.path)
    try {
      const store = await openStore('images')
      process.chdir(before)
      const { digest } = await store.put(Buffer.from('x'))
      await store.close()
      expect(existsSync(at('images/blobs/sha256', digest.slice(7)))).toBe(true)
    } finally {
      process.chdir(before)
    }
  })

  test('create: false and readOnly do not create', async () => {
    for (const options of [{ create: false }, { readOnly: true }, { readOnly: true, create: true }]) {
      for (const path of [at('absent'), directory.path]) {
        const error = await thrownBy(() => openStore(path, options))
        expect(error).toMatchObject({ code: 'ERR_STORE_NOT_FOUND', message: expect.stringContaining(path) })
      }
    }
    expect(treeOf(directory.path)).toEqual([])
  })

  test('the directory may be a file: URL; other URLs and other kinds of values are refused', async () => {
    await (await openStore(pathToFileURL(at('by url')))).close()
    expect(existsSync(at('by url', 'oci-layout'))).toBe(true)
    const odd = ['https://example.com/images', 'file://host/images', 'data:,x'].map(text => new URL(text))
    for (const wrong of [...odd, 5, null, undefined, '', 'a\0b', ['a'], Promise.resolve('a')]) {
      const error = await thrownBy(() => openStore(wrong as string))
      expect(error).toMatchObject({
        code: 'ERR_INVALID_ARGUMENT',
        message: expect.stringContaining('directory must be'),
      })
    }
  })

  test('a path under which the system creates nothing fails at once, and the error names it', async () => {
    writeFileSync(at('file'), '')
    for (const path of [
      at('file'),
      at('file', 'below'),
      ...(existsSync('/proc/self') ? ['/proc/nope', '/proc/a/b'] : []),
    ]) {
      const error = await thrownBy(() => openStore(path))
      expect(error).toMatchObject({ code: 'ERR_STORE_IO', message: expect.stringContaining(path) })
    }
    expect(treeOf(directory.path)).toEqual(['file'])
  })

  test('a directory with other content is refused and not changed', async () => {
    writeFileSync(at('notes.txt'), 'mine')
    const error = await thrownBy(() => openStore(directory.path))
    expect(error.code).toBe('ERR_STORE_FORMAT')
    expect(error.message).toContain('oci-layout')
    expect(treeOf(directory.path)).toEqual(['notes.txt'])
  })

  test('a file in the place of the directory is refused', async () => {
    writeFileSync(at('file'), '')
    expect(await thrownBy(() => openStore(at('file')))).toMatchObject({ code: 'ERR_STORE_IO', errno: 'ENOTDIR' })
  })

  test('a creation that was interrupted at any point is completed', async () => {
    const steps: (() => void)[] = [
      () => mkdirSync(at('.layerstore')),
      () => writeFileSync(at('.layerstore/format.json'), '{"version":1}'),
      () => mkdirSync(at('.layerstore/ingests')),
      () => mkdirSync(at('blobs')),
      () => writeFileSync(at('index.json.17-00112233aabb.tmp'), '{"schema'),
      () => writeFileSync(at('index.json'), EMPTY_INDEX),
    ]
    for (let cut = 1; cut <= steps.length; cut++) {
      for (const step of steps.slice(0, cut)) step()
      const store = await openStore(directory.path)
      const { manifest } = await putStoreImage(store)
      await store.references.set('app:1', manifest)
      await store.close()
      expect(JSON.parse(readFileSync(at('oci-layout'), 'utf8'))).toEqual({ imageLayoutVersion: '1.0.0' })
      expect(JSON.parse(readFileSync(at('index.json'), 'utf8')).manifests).toHaveLength(1)
      expect(readdirSync(at('blobs/sha256'))).toHaveLength(3)
      for (const name of readdirSync(directory.path)) rmSync(at(name), { recursive: true })
    }
  })

  test('processes that create the same store at once share it, and no name is lost', async () => {
    const stores = await Promise.all(Array.from({ length: 8 }, () => openStore(directory.path)))
    const { manifest } = await putStoreImage(stores[0]!)
    await Promise.all(stores.map((store, i) => store.references.set(`app:${i}`, manifest)))
    const names: string[] = []
    for await (const { name } of stores[7]!.references.list()) names.push(name)
    expect(names).toHaveLength(8)
    for (const store of stores) await store.close()
  })

  test('invalid options are refused', async () => {
    for (const options of [{ hasher: 'gpu' }, { verify: 'sometimes' }, { durability: 'some' }]) {
      expect((await thrownBy(() => openStore(directory.path, options as never))).code).toBe('ERR_INVALID_ARGUMENT')
    }
    expect(treeOf(directory.path)).toEqual([])
  })
})

describe('opening a layout', () => {
  test('a layout of another tool is not changed before the first write, which creates .layerstore', async () => {
    writeLayout()
    const before = treeOf(directory.path)
    const store = await openStore(directory.path)
    for await (const _ of store.list()) expect.unreachable()
    expect(treeOf(directory.path)).toEqual(before)
    await store.put(Buffer.from('x'))
    expect(existsSync(at('.layerstore/format.json'))).toBe(true)
    await store.close()
  })

  test('ST-06: a read-only store creates no file at all, whatever is called', async () => {
    writeLayout()
    const before = treeOf(directory.path)
    const store = await openStore(directory.path, { readOnly: true })
    await store.references.get('app')
    await thrownBy(() => store.put(Buffer.from('x')))
    await thrownBy(() => store.references.delete('app'))
    await store.close()
    expect(treeOf(directory.path)).toEqual(before)
  })

  test('a newer format is refused, and nothing is changed', async () => {
    writeLayout()
    mkdirSync(at('.layerstore'))
    writeFileSync(at('.layerstore/format.json'), '{"version":2}')
    const before = treeOf(directory.path)
    for (const options of [{}, { readOnly: true }]) {
      expect((await thrownBy(() => openStore(directory.path, options))).code).toBe('ERR_STORE_VERSION')
    }
    expect(treeOf(directory.path)).toEqual(before)
  })

  test('the first write refuses a newer format that appeared later', async () => {
    writeLayout()
    const store = await openStore(directory.path)
    mkdirSync(at('.layerstore'))
    writeFileSync(at('.layerstore/format.json'), '{"version":7}')
    expect((await thrownBy(() => store.put(Buffer.from('x')))).code).toBe('ERR_STORE_VERSION')
    await store.close()
  })

  const broken: [name: string, file: string, content: string][] = [
    ['no JSON', 'oci-layout', '{'],
    ['no version', 'oci-layout', '{}'],
    ['null', 'oci-layout', 'null'],
    ['another version', 'oci-layout', '{"imageLayoutVersion":"2.0.0"}'],
    ['empty after a crash', 'index.json', ''],
    ['no JSON', 'index.json', '{"schemaVersion":2,'],
    ['an array', 'index.json', '[]'],
    ['another schema', 'index.json', '{"schemaVersion":1,"manifests":[]}'],
    ['manifests that are no list', 'index.json', '{"schemaVersion":2,"manifests":{}}'],
    ['an entry that is no object', 'index.json', '{"schemaVersion":2,"manifests":[1]}'],
    ['a key twice', 'index.json', '{"schemaVersion":2,"manifests":[],"manifests":[]}'],
    ['no JSON', '.layerstore/format.json', 'x'],
    ['no version', '.layerstore/format.json', '{"version":"1"}'],
    ['a zero version', '.layerstore/format.json', '{"version":0}'],
    ['null', '.layerstore/format.json', 'null'],
  ]
  test.each(broken)('%s in %s is reported, and never taken for an empty store', async (_, file, content) => {
    writeLayout()
    mkdirSync(at('.layerstore'))
    writeFileSync(at(file), content)
    const error = await thrownBy(() => openStore(directory.path))
    expect(error.code).toBe('ERR_STORE_FORMAT')
    expect(error.message).toContain(file)
    expect(error.message).not.toContain(directory.path)
    expect(readFileSync(at(file), 'utf8')).toBe(content)
  })

  test('a missing index is not an empty one', async () => {
    writeLayout()
    rmSync(at('index.json'))
    expect((await thrownBy(() => openStore(directory.path))).message).toContain('index.json is missing')
  })

  test('an index that is damaged while the store is open is not an empty one either', async () => {
    const store = await openStore(directory.path)
    const { manifest } = await putStoreImage(store)
    writeFileSync(at('index.json'), '')
    expect((await thrownBy(() => store.references.get('app'))).code).toBe('ERR_STORE_FORMAT')
    expect((await thrownBy(() => store.references.set('app', manifest))).code).toBe('ERR_STORE_FORMAT')
    expect(readFileSync(at('index.json'), 'utf8')).toBe('')
    await store.close()
  })

  test.each(['oci-layout', 'index.json'])('%s as a directory or a symbolic link is refused', async file => {
    writeLayout()
    const content = readFileSync(at(file))
    rmSync(at(file))
    mkdirSync(at(file))
    expect((await thrownBy(() => openStore(directory.path))).code).toBe('ERR_STORE_FORMAT')
    rmSync(at(file), { recursive: true })
    writeFileSync(at('elsewhere'), content)
    symlinkSync(at('elsewhere'), at(file))
    expect((await thrownBy(() => openStore(directory.path))).message).toContain('symbolic link')
  })

  test('the null that umoci writes for an empty list is an empty index', async () => {
    writeLayout('{"schemaVersion":2,"manifests":null}')
    const store = await openStore(directory.path)
    const { manifest } = await putStoreImage(store)
    await store.references.set('app', manifest)
    expect(await store.references.get('app')).toEqual(manifest)
    await store.close()
  })

  test('blobs are read-only, and other users cannot read an ingest', async () => {
    const store = await openStore(directory.path)
    const { digest } = await store.put(Buffer.from('x'))
    const writer = await store.ingest('key')
    expect(statSync(at('blobs/sha256', digest.slice(7))).mode & 0o777).toBe(0o444)
    for (const name of readdirSync(at('.layerstore/ingests'))) {
      expect(statSync(at('.layerstore/ingests', name)).mode & 0o777).toBe(0o700)
    }
    await writer.abort()
    await store.close()
  })

  test('closing leaves only blobs behind', async () => {
    const store = await openStore(directory.path)
    const { manifest } = await putStoreImage(store)
    await store.references.set('app', manifest)
    await (await store.ingest('key')).commit()
    await store.close()
    expect(readdirSync(at('.layerstore/ingests'))).toEqual([])
    expect(readdirSync(at('.layerstore/locks'))).toEqual([])
    expect(readdirSync(directory.path).sort()).toEqual(['.layerstore', 'blobs', 'index.json', 'oci-layout'])
  })
})

describe('with other tools', () => {
  test('skopeo reads images of the store, and the store reads images that skopeo copied', async context => {
    if (!needsProgram('skopeo')) context.skip()
    const store = await openStore(at('ours'))
    const { manifest, layer } = await putStoreImage(store)
    await store.references.set('app:1.0', manifest)
    const raw = execFileSync('skopeo', ['inspect', '--raw', `oci:${at('ours')}:app:1.0`])
    expect(JSON.parse(raw.toString()).layers[0].digest).toBe(layer.digest)
    execFileSync('skopeo', [
      'copy',
      '-q',
      '--preserve-digests',
      `oci:${at('ours')}:app:1.0`,
      `oci:${at('theirs')}:copy`,
    ])
    const theirs = await openStore(at('theirs'))
    expect((await theirs.references.get('copy'))?.digest).toBe(manifest.digest)
    await theirs.references.set('app:2.0', (await theirs.references.get('copy'))!)
    execFileSync('skopeo', ['copy', '-q', `oci:${at('ours')}:app:1.0`, `oci:${at('theirs')}:third`])
    const names: string[] = []
    for await (const { name } of theirs.references.list()) names.push(name)
    expect(names).toEqual(['app:2.0', 'copy', 'third'])
    await store.close()
    await theirs.close()
  })

  test('a layout that umoci created is a store', async context => {
    if (!needsProgram('umoci')) context.skip()
    execFileSync('umoci', ['init', '--layout', at('umoci')])
    execFileSync('umoci', ['new', '--image', `${at('umoci')}:fresh`])
    const store = await openStore(at('umoci'))
    const fresh = await store.references.get('fresh')
    await store.references.set('app:1', fresh!)
    await store.close()
    const listed = execFileSync('umoci', ['ls', '--layout', at('umoci')], { encoding: 'utf8' })
    expect(listed.trim().split('\n').sort()).toEqual(['app:1', 'fresh'])
  })
})
