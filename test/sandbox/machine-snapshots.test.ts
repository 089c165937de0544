import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { isAbsolute, join, relative } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { bubblewrap, machineSnapshots } from '../../lib/sandbox/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { mount } from '../helpers/mount.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const able = needsRoot()
const hasFuse = able && needsProgram('fuse-overlayfs')
afterEach(() => void vi.restoreAllMocks())

/** Opens a stack in a directory, changes it, and resolves to the changes and to how the directory was used. */
async function tryIn(directory: string): Promise<{ changes: string[]; used: string[] }> {
  await using store = createMemoryStore()
  const { layers } = await sampleImage(store, [{ f: '1' }])
  const driver = machineSnapshots({ directory })
  await (await driver.openStack(store, layers)).close()
  const stack = await driver.openStack(store, layers)
  writeFileSync(join(stack.path, 'g'), '2')
  const changes: string[] = []
  for await (const { path, uid } of stack.changes()) changes.push(`${path} ${uid}`)
  const used = readdirSync(directory)
  await stack.close()
  return { changes, used }
}

const copies = [expect.stringMatching(/^layerstore-stack-/)]

describe('the snapshots of a machine', () => {
  test('are copies for a user without privileges, whose files are those of root in the image', async () => {
    using place = temporaryDirectory('machine')
    vi.spyOn(process, 'getuid').mockReturnValue(process.geteuid?.() || 12345)
    const { changes, used } = await tryIn(place.path)
    expect(changes).toEqual(['g 0'])
    expect(used).toEqual(copies)
  })

  test('are in the directory that a relative path means now, whatever the working directory is later', async () => {
    using place = temporaryDirectory('machine')
    const { changes } = await tryIn(relative(process.cwd(), place.path))
    expect(changes).toEqual(['g 0'])
    await using store = createMemoryStore()
    const { layers } = await sampleImage(store, [{ f: '1' }])
    await using stack = await machineSnapshots({ directory: relative(process.cwd(), place.path) }).openStack(
      store,
      layers,
    )
    expect(isAbsolute(stack.path)).toBe(true)
  })

  test.runIf(able)('are overlays for root', async () => {
    using place = temporaryDirectory('machine')
    const { changes, used } = await tryIn(place.path)
    expect(changes).toEqual(['g 0'])
    expect(used).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)])
  })

  test.runIf(hasFuse)('are overlays of a program where the kernel refuses a directory', async () => {
    using place = temporaryDirectory('machine')
    const at = (name: string) => join(place.path, name)
    for (const name of ['lower', 'upper', 'work']) mkdirSync(at(name))
    const options = `lowerdir=${at('lower')},upperdir=${at('upper')},workdir=${at('work')}`
    using overlay = mount(at('mounted'), '-t', 'overlay', 'overlay', '-o', options)
    const { changes, used } = await tryIn(overlay.path)
    expect(changes).toEqual(['g 0'])
    expect(used).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)])
  })

  test.runIf(able)('are copies where no overlay can be mounted', async () => {
    using place = temporaryDirectory('machine')
    // The options of a mount are separated by commas.
    const directory = join(place.path, 'a,b')
    const { changes, used } = await tryIn(directory)
    expect(changes).toEqual(['g 0'])
    expect(used).toContainEqual(copies[0])
  })
})

test('bubblewrap says that it needs root', async () => {
  vi.spyOn(process, 'getuid').mockReturnValue(12345)
  expect(await bubblewrap().probe()).toMatchObject({ works: false, reason: expect.stringMatching(/root|install/) })
})
