import { execFileSync } from 'node:child_process'
import { createWriteStream, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { expect, test } from 'vitest'
import { diffTrees, writeDiffLayer, writeLayer } from '../../lib/layer/index.ts'
import { flattenImage, openUnionView } from '../../lib/rootfs/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { writeTar } from '../../lib/tar/index.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { variedEntries } from '../helpers/varied-entries.ts'

const nothing = { added: [], modified: [], metadataOnly: [], deleted: [] }
/** Without names that are not UTF-8: bsdtar refuses names that the locale cannot hold. */
const entries = variedEntries().filter(({ path }) => !/[\udc80-\udcff]/.test(path) || /[\ud800-\udbff]/.test(path))
const isRoot = needsRoot()

for (const [program, args] of [
  // Without the flag GNU tar sets the time of a directory as soon as the entry of another directory follows.
  ['tar', ['--numeric-owner', '--delay-directory-restore', '-xpf']],
  ['bsdtar', ['--numeric-owner', '-xpf']],
] as const) {
  test.runIf(isRoot && needsProgram(program))(`${program} makes of a flattened image what the view shows`, async () => {
    using place = temporaryDirectory('flatten')
    await using store = createMemoryStore()
    const lower = await writeLayer(store, entries)
    const upper = await writeLayer(store, [
      { path: 'etc/.wh.empty', type: 'file' },
      { path: 'usr/over', type: 'hardlink', linkname: 'etc/text' },
      { path: 'closed', type: 'directory', mode: 0o711, mtime: 7 },
      { path: 'tmp', type: 'file', content: 'no directory any more', mtime: 8 },
    ])
    const view = await openUnionView(store, [lower, upper])
    const archive = join(place.path, 'flat.tar')
    const target = join(place.path, 'root')
    mkdirSync(target)
    await pipeline(writeTar(flattenImage(view)), createWriteStream(archive))
    execFileSync(program, [...args, archive, '-C', target], { env: { ...process.env, LC_ALL: 'C.UTF-8' } })
    expect(await diffTrees(view, target)).toEqual(nothing)
    const back = await writeDiffLayer(store, await diffTrees(view, target), target)
    expect(back.uncompressedSize).toBe(1024)
  })
}
