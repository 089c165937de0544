import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findXattrProgram, type XattrProgram } from '../../lib/rootfs/xattrs/xattr-program.ts'
import { ProgramXattrs } from '../../lib/rootfs/xattrs/xattr-setter.ts'
import { KernelCalls } from '../../lib/sandbox/snapshots/overlay/mounting/kernel-calls.ts'
import { mountOverlay, unmount } from '../../lib/sandbox/snapshots/overlay/mounting/overlay-mount.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const able = needsRoot() && needsProgram('perl')

let place: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  place = temporaryDirectory('kernel-calls')
  for (const name of ['lower', 'upper', 'work', 'a target']) mkdirSync(join(place.path, name))
  writeFileSync(join(place.path, 'lower', 'file'), '')
})
// Nothing may be mounted any more: this would fail.
afterEach(() => place[Symbol.dispose]())

const at = (name: string) => join(place.path, name)
const target = () => at('a target')
const overlay = (lower = 'lower') => {
  const [upper, work] = [at('upper'), at('work')]
  return { directory: place.path, lower: [lower], upper, work, target: target() }
}

describe.runIf(able)('a helper', () => {
  test('mounts an overlay with relative paths, and detaches it', async () => {
    const calls = new KernelCalls()
    const { directory, upper, work } = overlay()
    const options = `lowerdir=lower,upperdir=${upper},workdir=${work}`
    expect(await calls.mount(directory, target(), options)).toBe(0)
    expect(readdirSync(target())).toEqual(['file'])
    expect(await calls.unmount(target())).toBe(0)
    expect(readdirSync(target())).toEqual([])
  })

  test('answers each of many calls that wait with its own result', async () => {
    const calls = new KernelCalls()
    const mounted = await Promise.all([
      calls.mount(place.path, target(), `lowerdir=lower,upperdir=${at('upper')},workdir=${at('work')}`),
      calls.unmount(target()),
      calls.unmount(at('missing')),
      calls.mount(at('missing'), target(), ''),
    ])
    expect(mounted).toEqual([0, 0, 2, 2])
  })

  test('tells what the kernel says, in the words of the system', async () => {
    const mounting = mountOverlay(overlay('missing'), new KernelCalls())
    await expect(mounting).rejects.toMatchObject({
      code: 'ERR_SANDBOX_MOUNT',
      message: expect.stringContaining('no such file or directory (ENOENT)'),
    })
  })

  test('finds files with attributes, and passes over those of overlayfs, links and what is not there', async () => {
    const paths = ['plain', 'of overlayfs', 'with one', 'link', 'missing', 'caf\u00e9']
    for (const name of paths.slice(0, 3)) writeFileSync(at(name), '')
    writeFileSync(at('caf\u00e9'), '')
    symlinkSync('with one', at('link'))
    const setter = new ProgramXattrs(findXattrProgram() as XattrProgram)
    const set = (path: string, name: string) => setter.set(at(path), name, Buffer.of(1), expect.unreachable)
    set('of overlayfs', 'trusted.overlay.origin')
    set('with one', 'user.one')
    set('caf\u00e9', 'user.two')
    setter.flush()
    const calls = new KernelCalls()
    expect(await calls.withXattrs(place.path, paths)).toEqual(['with one', 'caf\u00e9'])
    expect(await calls.withXattrs(place.path, [])).toEqual([])
    expect(await calls.withXattrs(at('missing'), ['a'])).toBeUndefined()
    // More than one question.
    const many = [...Array(5000).fill('plain'), 'with one']
    expect(await calls.withXattrs(place.path, many)).toEqual(['with one'])
  })

  test('that ends without an answer is replaced by the programs of the machine', async () => {
    const calls = new KernelCalls('/bin/false')
    await mountOverlay(overlay(), calls)
    expect(readdirSync(target())).toEqual(['file'])
    await unmount(target(), calls)
    expect(readdirSync(target())).toEqual([])
  })
})
