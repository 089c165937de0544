import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createOwner } from '../../lib/internal/locks/owner.ts'
import { type Files, fromFiles, type WrittenLayer, writeLayer } from '../../lib/layer/index.ts'
import { openUnionView } from '../../lib/rootfs/index.ts'
import { overlaySnapshots } from '../../lib/sandbox/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { needs } from '../helpers/needs.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { program } from '../helpers/program.ts'
import { rawTar } from '../helpers/raw-tar.ts'
import { storeLayers } from '../helpers/store-layers.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const able = needsRoot()
const hasFuse = able && needsProgram('fuse-overlayfs')

let store: Store
let place: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  store = createMemoryStore()
  place = temporaryDirectory('overlay')
})
afterEach(async () => {
  await store.close()
  // Nothing may be mounted any more: this would fail.
  place[Symbol.dispose]()
})

let fuse = false
const driver = () => overlaySnapshots({ directory: join(place.path, 'snapshots'), fuse })
const layerOf = (files: Files): Promise<WrittenLayer> => writeLayer(store, fromFiles(files))

/** What a view of layers shows: path, type, mode, owner, links and content. */
async function seen(layers: Parameters<typeof openUnionView>[1]): Promise<string[]> {
  const view = await openUnionView(store, layers)
  const lines: string[] = []
  for (const { path, type, mode, uid, linkname = '' } of view.walk()) {
    const chunks: Uint8Array[] = []
    if (type === 'file') for await (const chunk of view.read(path)) chunks.push(chunk.slice())
    lines.push(`${path} ${type} ${(mode & 0o7777).toString(8)} ${uid} ${linkname}${Buffer.concat(chunks)}`)
  }
  return lines
}

describe.each([
  ['overlayfs', able, false],
  ['fuse-overlayfs', hasFuse, true],
] as const)('a stack of layers on %s', (_, isThere, isFuse) => {
  beforeEach(context => {
    fuse = isFuse
    if (!needs(isThere, 'no such overlays here')) context.skip()
  })

  test('shows the layers, and gives what was changed as a layer', async () => {
    const layers = [
      await layerOf({ 'etc/os': 'one', 'lib/gone': 'x', 'lib/same': 'y', 'old/a': 'a', 'old/b': 'b', 'moved/c': 'c' }),
      await layerOf({ 'etc/os': 'two' }),
    ]
    const stack = await driver().openStack(store, layers)
    const at = (path: string) => join(stack.path, path)
    expect(readFileSync(at('etc/os'), 'utf8')).toBe('two')
    appendFileSync(at('etc/os'), '!')
    rmSync(at('lib/gone'))
    rmSync(at('old'), { recursive: true })
    mkdirSync(at('old'))
    writeFileSync(at('old/new'), 'n')
    linkSync(at('old/new'), at('old/other'))
    mkdirSync(at('made'))
    chmodSync(at('made'), 0o1777)
    chownSync(at('made'), 7, 8)
    symlinkSync('/etc/os', at('made/link'))
    renameSync(at('moved/c'), at('made/c'))
    const changed = await writeLayer(store, stack.changes())
    await stack.close()
    expect(await seen([...layers, changed])).toEqual([
      'etc directory 755 0 ',
      'etc/os file 644 0 two!',
      'lib directory 755 0 ',
      'lib/same file 644 0 y',
      'made directory 1777 7 ',
      'made/c file 644 0 c',
      'made/link symlink 777 0 /etc/os',
      'moved directory 755 0 ',
      'old directory 755 0 ',
      'old/new file 644 0 n',
      'old/other hardlink 644 0 old/new',
    ])
    const own = [...(await openUnionView(store, [changed])).walk()].map(({ path }) => path)
    expect(own).not.toContain('lib/same')
  })

  test('keeps files whose names are not UTF-8 when a neighbour changes', async () => {
    const odd = Buffer.from('d/f\xffn', 'latin1')
    const dir = Buffer.from('\xfe/', 'latin1')
    const inside = Buffer.from('\xfe/kept', 'latin1')
    const archive = rawTar([{ path: 'd/' }, { path: odd, content: '1' }, { path: dir }, { path: inside, content: '2' }])
    const stack = await driver().openStack(store, await storeLayers(store, [archive]))
    writeFileSync(join(stack.path, 'd/new'), '3')
    writeFileSync(Buffer.concat([Buffer.from(`${stack.path}/`), dir, Buffer.from('new')]), '4')
    const changes: string[] = []
    for await (const { path } of stack.changes()) changes.push(path)
    await stack.close()
    expect(changes.sort()).toEqual(['d', 'd/new', '\udcfe', '\udcfe/new'])
  })

  test('gives no entry if nothing was changed', async () => {
    const stack = await driver().openStack(store, [await layerOf({ 'a/b': 'c' })])
    const changes: string[] = []
    for await (const { path } of stack.changes()) changes.push(path)
    await stack.close()
    expect(changes).toEqual([])
  })

  test('shows what a view of the same layers shows, whatever the layers do', async () => {
    const archives = [
      rawTar([
        { path: 'd/' },
        { path: 'd/kept', content: '1' },
        { path: 'd/gone', content: '2' },
        { path: 'opaque/' },
        { path: 'opaque/hidden', content: '3' },
        { path: 'f', content: '4' },
        { path: 'to-dir', content: '5' },
        { path: 'dir-to-file/' },
        { path: 'dir-to-file/x', content: '6' },
        { path: 'link', link: 'd' },
      ]),
      rawTar([
        { path: 'd/.wh.gone' },
        { path: 'opaque/.wh..wh..opq' },
        { path: 'opaque/new', content: '7' },
        { path: 'hard', type: '1', link: 'f' },
        { path: 'to-dir/' },
        { path: 'to-dir/y', content: '8' },
        { path: 'dir-to-file', content: '9' },
        { path: 'link/through', content: '10' },
      ]),
      rawTar([{ path: '.wh.to-dir' }, { path: 'opaque/.wh.new' }]),
    ]
    const layers = await storeLayers(store, archives)
    const stack = await driver().openStack(store, layers)
    const paths = (await program('find', ['.', '-mindepth', '1'], { cwd: stack.path })).trim().split('\n').sort()
    const view = await openUnionView(store, layers)
    expect(paths).toEqual([...view.walk()].map(({ path }) => `./${path}`).sort())
    expect(readFileSync(join(stack.path, 'hard'), 'utf8')).toBe('4')
    expect(lstatSync(join(stack.path, 'hard')).nlink).toBe(2)
    await stack.close()
  })

  test('unpacks a layer once for all stacks, and two stacks see no changes of each other', async () => {
    const base = await layerOf({ f: 'base' })
    const [one, two] = [driver(), driver()]
    const stacks = await Promise.all([
      one.openStack(store, [base]),
      one.openStack(store, [base, await layerOf({ g: '1' })]),
      two.openStack(store, [base]),
    ])
    writeFileSync(join(stacks[0].path, 'f'), 'changed')
    expect(stacks.map(({ path }) => readFileSync(join(path, 'f'), 'utf8'))).toEqual(['changed', 'base', 'base'])
    const [boot = ''] = readdirSync(join(place.path, 'snapshots'))
    expect(readdirSync(join(place.path, 'snapshots', boot, 'layers'))).toHaveLength(2)
    for (const stack of stacks) await stack.close()
    expect(readdirSync(join(place.path, 'snapshots', boot, 'stacks'))).toEqual([])
  })

  test('works for an image without layers', async () => {
    const stack = await driver().openStack(store, [])
    writeFileSync(join(stack.path, 'f'), '1')
    const changed = await writeLayer(store, stack.changes())
    await stack.close()
    expect(await seen([changed])).toEqual(['f file 644 0 1'])
  })

  test('keeps nothing of a layer whose diffID is wrong', async () => {
    const layer = await layerOf({ a: '1' })
    const other = await layerOf({ a: '2' })
    const call = driver().openStack(store, [{ ...layer, diffId: other.diffId }])
    await expect(call).rejects.toMatchObject({ code: 'ERR_DIFF_ID_MISMATCH' })
    const [boot = ''] = readdirSync(join(place.path, 'snapshots'))
    expect(readdirSync(join(place.path, 'snapshots', boot, 'layers'))).toEqual([])
  })

  test('of a killed process is unmounted and removed by the next process', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    await once(child, 'spawn')
    const stack = await driver().openStack(store, [await layerOf({ a: '1' })])
    const start = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19]
    const owner = { ...(await createOwner()), pid: child.pid, start }
    writeFileSync(join(stack.path, '..', 'owner'), JSON.stringify(owner))
    await (await driver().openStack(store, [])).close()
    expect(readdirSync(stack.path)).toEqual(['a'])
    child.kill('SIGKILL')
    await once(child, 'close')
    await (await driver().openStack(store, [])).close()
    expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(place.path)
    expect(readdirSync(join(stack.path, '../..'))).toEqual([])
  })
})
