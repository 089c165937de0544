import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { allAttacks } from '../helpers/attacks/all-attacks.ts'
import type { Attack } from '../helpers/attacks/attack.ts'
import { listTree } from '../helpers/list-tree.ts'
import { rawTar } from '../helpers/raw-tar.ts'
import { startUnpackChild } from '../helpers/start-unpack-child.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { transpileLibrary } from '../helpers/transpile-library.ts'

const NOBODY = 65534
const isRoot = process.geteuid?.() === 0

let library: string
let child: ReturnType<typeof startUnpackChild>
beforeAll(() => {
  library = transpileLibrary()
  chmodSync(library, 0o755)
  child = startUnpackChild(library, isRoot ? NOBODY : undefined)
})
afterAll(async () => {
  await child[Symbol.asyncDispose]()
  rmSync(library, { recursive: true, force: true })
})

/** Two canaries: one that belongs to somebody else, and one that the unpacking user could change. */
function prepare(base: string): void {
  for (const [name, owner] of [
    ['outside', NOBODY],
    ['root-evil', 0],
  ] as const) {
    mkdirSync(join(base, name, 'dir'), { recursive: true, mode: 0o755 })
    for (const file of ['secret', 'dir/inner']) writeFileSync(join(base, name, file), 'canary', { mode: 0o644 })
    if (isRoot) for (const path of ['', 'secret', 'dir', 'dir/inner']) chownSync(join(base, name, path), owner, owner)
  }
  mkdirSync(join(base, 'home'))
  if (isRoot) chownSync(join(base, 'home'), NOBODY, NOBODY)
  chmodSync(base, 0o755)
}

async function attackAsNobody(attack: Attack): Promise<{ code: string | undefined; left: string[]; changed: unknown }> {
  using place = temporaryDirectory('nobody')
  prepare(place.path)
  const outside = join(place.path, 'outside')
  const archives = attack.layers({ outside }).map((entries, i) => {
    const path = join(place.path, `${i}.tar`)
    writeFileSync(path, rawTar(entries))
    return path
  })
  const canaries = () => ['outside', 'root-evil'].map(name => listTree(join(place.path, name)))
  const before = canaries()
  const target = join(place.path, 'home/root')
  const { code } = await child.run({ archives, target, options: { ...attack.options, writer: 'inline' } as never })
  const left = listTree(join(place.path, 'home')).map(({ path }) => path)
  return {
    code,
    left: code === undefined ? left.filter(path => !/^root(\/|$)/.test(path)) : left,
    changed: JSON.stringify(canaries()) === JSON.stringify(before) ? 'nothing' : canaries(),
  }
}

test.each(allAttacks)('$name as a user without privileges', async attack => {
  const { code, left, changed } = await attackAsNobody(attack)
  expect({ left, changed }).toEqual({ left: [], changed: 'nothing' })
  if (!attack.needsRoot) expect(code).toBe(attack.refused)
})
