import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fromFiles, rewriteEntries, type WrittenLayer, writeLayer } from '../../lib/layer/index.ts'
import { openUnionView } from '../../lib/rootfs/index.ts'
import { listSnapshots, overlaySnapshots, type Stack } from '../../lib/sandbox/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import type { TarInput } from '../../lib/tar/index.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { pythonXattrs, xattrsIn } from '../helpers/python-xattrs.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const able = [needsRoot(), needsProgram('python3')].every(Boolean)
const capability = '0100000200200000000000000000000000000000'

let store: Store
let place: ReturnType<typeof temporaryDirectory>
let base: WrittenLayer
beforeEach(async () => {
  store = createMemoryStore()
  place = temporaryDirectory('changes')
  const xattrs = new Map([['security.capability', Buffer.from(capability, 'hex')]])
  base = await writeLayer(store, [
    { path: 'bin', type: 'directory' },
    { path: 'bin/ping', type: 'file', content: 'ping', mode: 0o755, xattrs },
    { path: 'bin/plain', type: 'file', content: 'plain', mode: 0o755 },
    { path: 'etc', type: 'directory', xattrs: new Map([['user.kept', Buffer.from('1')]]) },
    { path: 'etc/one', type: 'file', content: '1' },
    { path: 'etc/two', type: 'hardlink', linkname: 'etc/one' },
    { path: 'opt/old', type: 'file', content: 'old' },
    { path: 'opt/one', type: 'file', content: 'one' },
  ])
})
afterEach(async () => {
  await store.close()
  place[Symbol.dispose]()
})

/** Opens a stack, changes it, and resolves to the changes, and to what a stack with them as a layer shows. */
async function changed(act: (at: (path: string) => string, stack: Stack) => void) {
  const driver = overlaySnapshots({ directory: join(place.path, 'snapshots') })
  const stack = await driver.openStack(store, [base])
  act(path => join(stack.path, path), stack)
  const entries: TarInput[] = []
  const layer = await writeLayer(
    store,
    (async function* () {
      for await (const entry of stack.changes()) {
        entries.push(entry)
        yield entry
      }
    })(),
  )
  await stack.close()
  const next = await driver.openStack(store, [base, layer])
  const shown = { xattrs: xattrsIn(next.path), stat: (path: string) => lstatSync(join(next.path, path)) }
  const content = readFileSync(join(next.path, 'bin/ping'), 'utf8')
  const view = await openUnionView(store, [base, layer])
  const close = () => next.close()
  return { entries, paths: entries.map(({ path }) => path), shown, content, view, close }
}

describe.skipIf(!able)('changes on an overlay', () => {
  test('keep extended attributes and file capabilities, of files that were copied up too', async () => {
    const { paths, shown, view, content, close } = await changed(at => {
      writeFileSync(at('bin/new'), 'new')
      pythonXattrs.set(at('bin/new'), 'user.a', Buffer.from('b'))
      pythonXattrs.set(at('bin/new'), 'security.capability', Buffer.from(capability, 'hex'))
      // Copied up with all that it has.
      chmodSync(at('bin/ping'), 0o700)
      mkdirSync(at('made'))
      pythonXattrs.set(at('made'), 'trusted.who', Buffer.from('root'))
    })
    expect(paths.sort()).toEqual(['bin', 'bin/new', 'bin/ping', 'made'])
    expect(shown.xattrs).toEqual({
      'bin/new': { 'security.capability': capability, 'user.a': '62' },
      'bin/ping': { 'security.capability': capability },
      etc: { 'user.kept': '31' },
      made: { 'trusted.who': '726f6f74' },
    })
    expect(content).toBe('ping')
    expect(view.stat('bin/new')?.xattrs?.get('user.a')).toEqual(Buffer.from('b'))
    await close()
  })

  test('are an attribute alone, and a removed attribute', async () => {
    const { paths, shown, close } = await changed(at => {
      pythonXattrs.set(at('bin/plain'), 'security.capability', Buffer.from(capability, 'hex'))
      execFileSync('python3', [
        '-c',
        'import os,sys; os.removexattr(sys.argv[1], "security.capability")',
        at('bin/ping'),
      ])
    })
    expect(paths.sort()).toEqual(['bin/ping', 'bin/plain'])
    expect(shown.xattrs).toEqual({ 'bin/plain': { 'security.capability': capability }, etc: { 'user.kept': '31' } })
    await close()
  })

  test('keep hard links, devices, FIFOs, set-id and sticky bits, owners and times in seconds', async () => {
    const { entries, shown, close } = await changed(at => {
      writeFileSync(at('bin/a'), 'a')
      linkSync(at('bin/a'), at('bin/b'))
      chownSync(at('bin/a'), 5, 6)
      chmodSync(at('bin/a'), 0o6755)
      execFileSync('mknod', [at('bin/null'), 'c', '1', '3'])
      execFileSync('mkfifo', ['-m', '622', at('bin/fifo')])
      mkdirSync(at('tmp'))
      chmodSync(at('tmp'), 0o1777)
      utimesSync(at('bin/a'), 1_700_000_000.75, 1_700_000_000.75)
    })
    const of = (path: string) => entries.find(entry => entry.path === path)
    expect(of('bin/b')).toMatchObject({ type: 'hardlink', linkname: 'bin/a' })
    expect(of('bin/a')).toMatchObject({ uid: 5, gid: 6, mode: 0o6755, mtime: 1_700_000_000 })
    expect(of('bin/null')).toMatchObject({ type: 'character-device', devMajor: 1, devMinor: 3 })
    expect(of('bin/fifo')).toMatchObject({ type: 'fifo', mode: 0o622 })
    expect(shown.stat('bin/a')).toMatchObject({ nlink: 2, uid: 5, gid: 6 })
    expect(shown.stat('bin/a').mode & 0o7777).toBe(0o6755)
    expect(shown.stat('bin/null').isCharacterDevice()).toBe(true)
    expect(shown.stat('bin/fifo').isFIFO()).toBe(true)
    expect(shown.stat('tmp').mode & 0o7777).toBe(0o1777)
    await close()
  })

  test('of one name of a file with hard links leave the other name as it was', async () => {
    const { paths, shown, close } = await changed(at => writeFileSync(at('etc/one'), 'other'))
    expect(paths).toEqual(['etc/one'])
    expect([shown.stat('etc/one').size, shown.stat('etc/two').size]).toEqual([5, 1])
    await close()
  })
})

describe.skipIf(!able)('a stack whose changes are kept as a layer', () => {
  /** What a root filesystem holds: every path with all that `stat` tells, and its attributes. */
  function dump(root: string): { files: string[]; xattrs: object } {
    const files = execFileSync('find', ['.', '-mindepth', '1', '-printf', '%p %y %m %U:%G %T@ %l'], { cwd: root })
    // Sizes and links of directories are those of the filesystem, not of the image.
    const rest = ['.', '-type', 'f', '-printf', '%p %s %n\\n']
    const sizes = execFileSync('find', rest, { cwd: root, encoding: 'utf8' })
    return { files: `${files}${sizes}`.split('./').sort(), xattrs: xattrsIn(root) }
  }

  test.each([0, 1_600_000_000, undefined])(
    'shows the same as one that unpacks it, with the latest time %s',
    async latest => {
      const directory = join(place.path, 'snapshots')
      const stack = await overlaySnapshots({ directory }).openStack(store, [base])
      const at = (path: string) => join(stack.path, path)
      writeFileSync(at('bin/new'), 'new')
      linkSync(at('bin/new'), at('bin/same'))
      pythonXattrs.set(at('bin/new'), 'security.capability', Buffer.from(capability, 'hex'))
      chmodSync(at('bin/ping'), 0o4700)
      rmSync(at('bin/plain'))
      rmSync(at('opt'), { recursive: true })
      mkdirSync(at('opt'))
      writeFileSync(at('opt/one'), 'other')
      mkdirSync(at('deep/er'), { recursive: true })
      execFileSync('mkfifo', [at('deep/fifo')])
      symlinkSync('/etc', at('deep/link'))
      const bind = "import socket; socket.socket(socket.AF_UNIX).bind('s')"
      execFileSync('python3', ['-c', bind], { cwd: at('deep/er') })
      const policies = latest === undefined ? {} : { mtime: { notAfter: latest } }
      const layer = await writeLayer(store, rewriteEntries(stack.changes(), policies))
      await stack.keepAs?.(layer, latest)
      await stack.close()
      const shown = async (snapshots: string) => {
        const next = await overlaySnapshots({ directory: snapshots }).openStack(store, [base, layer])
        const found = dump(next.path)
        await next.close()
        return found
      }
      const before = (await listSnapshots(directory)).map(({ about }) => about)
      expect(before).toContain(layer.diffId)
      const kept = await shown(directory)
      const unpacked = await shown(join(place.path, 'other'))
      expect(kept).toEqual(unpacked)
      expect(kept.files.join('\n')).not.toContain('deep/er/s')
    },
  )

  test('is kept once, and not at all if its changes were not read', async () => {
    const directory = join(place.path, 'snapshots')
    const driver = overlaySnapshots({ directory })
    const [one, two] = [await driver.openStack(store, [base]), await driver.openStack(store, [base])]
    const other = await driver.openStack(store, [base])
    for (const stack of [one, two]) {
      writeFileSync(join(stack.path, 'f'), '1')
      utimesSync(join(stack.path, 'f'), 5, 5)
    }
    const layers = [await writeLayer(store, one.changes()), await writeLayer(store, two.changes())]
    expect(layers[0]!.diffId).toBe(layers[1]!.diffId)
    await one.keepAs?.(layers[0]!)
    await two.keepAs?.(layers[1]!)
    await other.keepAs?.(layers[1]!)
    // A layer cannot say that the attribute of the lower directory is gone.
    const lost = await driver.openStack(store, [base])
    rmSync(join(lost.path, 'etc'), { recursive: true })
    mkdirSync(join(lost.path, 'etc'))
    await lost.keepAs?.(await writeLayer(store, lost.changes()))
    for (const stack of [one, two, other, lost]) await stack.close()
    expect(await listSnapshots(directory)).toHaveLength(2)
  })
})

test.runIf(able)('a stack without layers has the mode of a root directory, whatever the umask is', async () => {
  const before = process.umask(0o077)
  try {
    const driver = overlaySnapshots({ directory: join(place.path, 'snapshots') })
    const modeOf = async (layers: readonly WrittenLayer[]) => {
      const stack = await driver.openStack(store, layers)
      const { mode } = lstatSync(stack.path)
      await stack.close()
      return mode & 0o7777
    }
    const bare = await writeLayer(store, fromFiles({ f: '1' }))
    expect([await modeOf([]), await modeOf([bare])]).toEqual([0o755, 0o755])
  } finally {
    process.umask(before)
  }
})
