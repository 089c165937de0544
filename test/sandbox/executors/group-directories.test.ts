import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { groupDirectories, runtimeParents } from '../../../lib/sandbox/executors/limits/group-directories.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

let place: ReturnType<typeof temporaryDirectory>
let at: (path: string) => string
beforeEach(() => {
  place = temporaryDirectory('group-directories')
  at = path => join(place.path, path)
})
afterEach(() => place[Symbol.dispose]())

/** Writes what the kernel says about a process. */
function proc(mounts: readonly string[], groups: readonly string[]): string {
  writeFileSync(at('mountinfo'), `${mounts.join('\n')}\n`)
  writeFileSync(at('cgroup'), `${groups.join('\n')}\n`)
  return place.path
}

/** Makes a group of the unified hierarchy. */
function group(path: string, controllers: string): void {
  mkdirSync(at(path), { recursive: true })
  writeFileSync(at(`${path}/cgroup.controllers`), `${controllers}\n`)
}

const v1 = (directory: string, controller: string) =>
  `30 20 0:3 / ${directory} rw,relatime - cgroup cgroup rw,${controller}`
const v2 = (directory: string, root = '/') => `40 20 0:4 ${root} ${directory} rw - cgroup2 cgroup2 rw,nsdelegate`

describe('control groups of a process', () => {
  test('are its own and those above, in the unified hierarchy', async () => {
    group('u', 'cpu memory pids')
    group('u/a.slice', 'memory pids')
    group('u/a.slice/b.scope', 'pids')
    const process = proc([v2(at('u'))], ['0::/a.slice/b.scope'])
    const directories = async (controller: 'memory' | 'pids') =>
      (await groupDirectories(controller, process)).map(({ directory }) => directory)
    expect(await directories('pids')).toEqual([at('u/a.slice/b.scope'), at('u/a.slice'), at('u')])
    expect(await directories('memory')).toEqual([at('u/a.slice'), at('u')])
    expect(await runtimeParents(process)).toEqual([at('u/a.slice/b.scope'), at('u/a.slice')])
  })

  test('are in the hierarchy of their controller, if both versions are there', async () => {
    group('unified', 'hugetlb')
    const mounts = [v1(at('memory'), 'memory'), v1(at('c\\040p'), 'cpu,cpuacct'), v2(at('unified'))]
    const process = proc(mounts, ['4:memory:/x/y', '3:cpu,cpuacct:/', '0::/'])
    expect(await groupDirectories('memory', process)).toMatchObject([
      { directory: at('memory/x/y'), version: 1 },
      { directory: at('memory/x'), version: 1 },
      { directory: at('memory'), version: 1 },
    ])
    expect(await groupDirectories('pids', process)).toEqual([])
    expect(await runtimeParents(process)).toEqual([at('unified'), at('memory/x/y'), at('c p')])
  })

  test('are below the mount if only a part is mounted', async () => {
    group('u/in', 'pids')
    const inside = proc([v2(at('u'), '/docker/id')], ['0::/docker/id/in'])
    expect((await groupDirectories('pids', inside))[0]?.directory).toBe(at('u/in'))
    group('u', 'pids')
    const outside = proc([v2(at('u'), '/docker/id')], ['0::/elsewhere'])
    expect((await groupDirectories('pids', outside)).map(({ directory }) => directory)).toEqual([at('u')])
  })

  test('are unknown where the kernel tells nothing', async () => {
    expect(await groupDirectories('pids', at('none'))).toEqual([])
  })
})
