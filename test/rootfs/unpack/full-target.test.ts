import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { unpackArchives } from '../../../lib/rootfs/unpack/unpack-archives.ts'
import { directory, file, symlink } from '../../helpers/attacks/attack.ts'
import { mount } from '../../helpers/mount.ts'
import { needsRoot } from '../../helpers/needs-root.ts'
import { rawTar } from '../../helpers/raw-tar.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'

const small = [file('a/b', 'x'), { path: 'large', content: Buffer.alloc(1 << 20, 'x') }]
const many = Array.from({ length: 40 }, (_, i) => [directory(`d${i}`), file(`f${i}`), symlink(`l${i}`, 'x')]).flat()

describe.runIf(needsRoot())('a file system', () => {
  test.each([
    ['without room for the content', 'size=64k', small, /ENOSPC/],
    ['without inodes for the names', 'nr_inodes=20', many, /ENOSPC/],
  ])('%s ends the call with the path and is left as it was', async (_, options, entries, message) => {
    using place = temporaryDirectory('full')
    using target = mount(join(place.path, 'target'), '-t', 'tmpfs', '-o', options, 'tmpfs')
    for (const writer of ['inline', 'thread'] as const) {
      const left: string[] = []
      const sources = [{ name: 'sha256:test', open: () => [rawTar(entries)] }]
      const onLeft = (paths: readonly string[]) => left.push(...paths)
      const error = await thrownBy(() => unpackArchives(sources, target.path, { writer, onLeft }))
      expect(error).toMatchObject({
        code: 'ERR_UNPACK',
        path: expect.stringMatching(/^[dfl]/),
        message: expect.stringMatching(message),
      })
      expect([left, readdirSync(target.path)]).toEqual([[], []])
    }
  })

  test('that is read-only fails the call before any layer is read', async () => {
    using place = temporaryDirectory('full')
    mkdirSync(join(place.path, 'target'))
    using target = mount(join(place.path, 'target'), '-t', 'tmpfs', '-o', 'ro', 'tmpfs')
    const sources = [{ name: 'sha256:test', open: () => expect.unreachable() }]
    const error = await thrownBy(() => unpackArchives(sources, join(target.path, 'x'), {}))
    expect(error).toMatchObject({ code: 'ERR_UNPACK', message: expect.stringContaining('EROFS') })
  })
})
