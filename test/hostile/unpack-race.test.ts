import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { beforeAll, expect, test } from 'vitest'
import { directory, file, hardLink, symlink } from '../helpers/attacks/attack.ts'
import { listTree } from '../helpers/list-tree.ts'
import { nodeForAnyone } from '../helpers/node-for-anyone.ts'
import { type RawEntry, rawTar } from '../helpers/raw-tar.ts'
import { asNobody, giveToNobody, NOBODY } from '../helpers/start-nobody.ts'
import { startUnpackChild } from '../helpers/start-unpack-child.ts'
import { sweep } from '../helpers/sweep.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { transpileLibrary } from '../helpers/transpile-library.ts'

/** Minimum number of swaps, and number of unpacks during which they happen. */
const SWAPS = sweep(1000, 60)
const ROUNDS = sweep(50, 5)

let library: string
beforeAll(() => {
  library = transpileLibrary()
})

/** A layer that writes every kind of entry into every directory, several times. */
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

function startSwapper(parent: string, outside: string, user: typeof asNobody) {
  const script = join(import.meta.dirname, '../helpers/swap-directories.mjs')
  const node = nodeForAnyone()
  const child = spawn(node.path, [script, parent, outside], { stdio: ['ignore', 'pipe', 'inherit'], cwd: '/', ...user })
  let swaps = 0
  createInterface({ input: child.stdout }).on('line', line => {
    swaps = Number(line)
  })
  return {
    swaps: () => swaps,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      if (child.exitCode === null) await new Promise(resolve => child.once('exit', resolve))
      node[Symbol.dispose]()
    },
  }
}

const users = process.geteuid?.() === 0 ? ['root', 'nobody'] : ['this user']
const cases = users.flatMap(user => [
  { user, kind: 'that stay open', directories: 20 },
  { user, kind: 'that are opened again and again', directories: 150 },
])

test.each(cases)(
  'a process that swaps directories $kind for links gets nothing changed outside, both as $user',
  async ({ user, directories }) => {
    using place = temporaryDirectory('race')
    chmodSync(place.path, 0o755)
    const outside = join(place.path, 'outside')
    const work = join(place.path, 'work')
    for (const path of [work, join(outside, 'dir')]) mkdirSync(path, { recursive: true })
    for (const path of ['secret', 'gone', 'dir/inner']) writeFileSync(join(outside, path), 'canary', { mode: 0o600 })
    // The canary belongs to the user of both processes: only the checks of the unpack protect it.
    if (user === 'nobody') {
      giveToNobody(work, ...['', 'secret', 'gone', 'dir', 'dir/inner'].map(path => join(outside, path)))
    }
    const archives = [0, 1].map(round => {
      const path = join(place.path, `${round}.tar`)
      writeFileSync(path, rawTar(busyLayer(round, directories)), { mode: 0o644 })
      return path
    })
    const before = listTree(outside)
    await using unpacker = startUnpackChild(library, user === 'nobody' ? NOBODY : undefined)
    const codes = new Set<string>()
    {
      await using swapper = startSwapper(work, outside, user === 'nobody' ? asNobody : {})
      for (let round = 0; round < ROUNDS || swapper.swaps() < SWAPS; round++) {
        const target = join(work, 'root')
        const { code } = await unpacker.run({ archives, target, options: { writer: 'inline' } })
        codes.add(code ?? 'unpacked')
        rmSync(target, { recursive: true, force: true })
      }
    }
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
