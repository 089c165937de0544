import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { allAttacks } from '../helpers/attacks/all-attacks.ts'
import { whiteoutCases } from '../helpers/attacks/whiteout-cases.ts'
import { listTree } from '../helpers/list-tree.ts'
import { startNobody } from '../helpers/start-nobody.ts'

let nobody: ReturnType<typeof startNobody>
beforeAll(() => {
  nobody = startNobody()
})
afterAll(() => nobody[Symbol.asyncDispose]())

test.each(allAttacks)('$name as a user without privileges', async attack => {
  using outcome = await nobody.unpack(attack.layers, attack.options as never)
  const { left, changed } = outcome
  expect({ left, changed }).toEqual({ left: [], changed: 'nothing' })
  if (!attack.needsRoot) expect(outcome.answer.code).toBe(attack.refused)
})

/** Describes a tree in the notation of the whiteout cases. */
function linesOf(root: string): string[] {
  return listTree(root).map(({ path, kind, target }) => {
    if (kind === 'symlink') return `${path}->${target}`
    return kind === 'file' ? `${path}=${readFileSync(join(root, path), 'utf8')}` : path
  })
}

test.each(whiteoutCases)('$name as a user without privileges', async ({ layers, gives }) => {
  const filled = (outside: string, text: string) => text.replace('{outside}', outside)
  using outcome = await nobody.unpack(({ outside }) =>
    layers.map(layer =>
      layer.map(entry => ({ ...entry, ...(entry.link && { link: filled(outside, String(entry.link)) }) })),
    ),
  )
  const { answer, left, changed, root, outside } = outcome
  expect({ left, changed }).toEqual({ left: [], changed: 'nothing' })
  if ('code' in gives) expect(answer).toMatchObject(gives)
  else expect([answer.code, linesOf(root)]).toEqual([undefined, gives.map(line => filled(outside, line))])
})
