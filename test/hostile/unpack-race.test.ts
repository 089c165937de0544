import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { directory, file, hardLink, symlink } from '../helpers/attacks/attack.ts'
import { listTree } from '../helpers/list-tree.ts'
import { type RawEntry, rawTar } from '../helpers/raw-tar.ts'
import { startUnpackChild } from '../helpers/start-unpack-child.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { transpileLibrary } from '../helpers/transpile-library.ts'

/** How long to try, and how many swaps there have to be. */
const TIME_MS = 3000
const SWAPS = 200

let library: string
beforeAll(() => {
  library = transpileLibrary()
  chmodSync(library, 0o755)
})
afterAll(() => rmSync(library, { recursive: true, force: true }))

/** A layer that comes back to every directory with every kind of entry. */
function busyLayer(round: number, directories: number): RawEntry[] {
  const names = Array.from({ length: directories }, (_, i) => `d${i}`)
  return [
    ...names.map(name => directory(name, { mode: 0o777 })),
    ...names.map(name => file(`${name}/secret`, 'written')),
    ...names.map(name => directory(`${name}/dir`, { mode: 0o777, mtime: 1 })),
    ...names.map(name => symlink(`${name}/link${round}`, 'secret')),
    ...names.map(name => hardLink(`${name}/hard${round}`, `${name}/secret`)),
    ...names.map(name => file(`${name}/dir/inner`, 'written')),
    ...names.map(name => file(`${name}/.wh.gone`, '')),
    ...names.map(name => file(`${name}/dir/.wh..wh..opq`, '')),
  ]
}

async function startSwapper(parent: string, outside: string) {
  const script = join(import.meta.dirname, '../helpers/swap-directories.mjs')
  const child = spawn(process.execPath, [script, parent, outside], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  await lines.next()
  return async (): Promise<number> => {
    child.kill('SIGTERM')
    return Number((await lines.next()).value)
  }
}

test.each([
  ['that stay open', 20],
  ['that are opened again and again', 150],
])(
  'a process that swaps directories %s for links gets nothing changed outside',
  async (_, directories) => {
    using place = temporaryDirectory('race')
    const outside = join(place.path, 'outside')
    mkdirSync(join(outside, 'dir'), { recursive: true })
    for (const path of ['secret', 'gone', 'dir/inner']) writeFileSync(join(outside, path), 'canary', { mode: 0o600 })
    const archives = [0, 1].map(round => {
      const path = join(place.path, `${round}.tar`)
      writeFileSync(path, rawTar(busyLayer(round, directories)))
      return path
    })
    const before = listTree(outside)
    mkdirSync(join(place.path, 'work'))
    await using unpacker = startUnpackChild(library)
    const stop = await startSwapper(join(place.path, 'work'), outside)
    const codes = new Set<string>()
    let swaps: number
    try {
      const end = Date.now() + TIME_MS
      while (Date.now() < end) {
        const target = join(place.path, 'work/root')
        const { code } = await unpacker.run({ archives, target, options: { writer: 'inline' } })
        codes.add(code ?? 'unpacked')
        rmSync(target, { recursive: true, force: true })
      }
    } finally {
      swaps = await stop()
    }
    expect(swaps).toBeGreaterThan(SWAPS)
    expect(listTree(outside)).toEqual(before)
    const possible = [
      'unpacked',
      'ERR_UNSAFE_PATH',
      'ERR_UNPACK',
      'ERR_INVALID_LINK',
      'ERR_NOT_A_DIRECTORY',
      'ERR_TARGET_NOT_EMPTY',
    ]
    expect(possible).toEqual(expect.arrayContaining([...codes]))
  },
  60_000,
)
