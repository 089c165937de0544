import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

/* These tests forbid what makes a test pass only on the machine of its author. */

const folder = join(import.meta.dirname, '..')
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.ts'))
  .map(name => ({ name, text: readFileSync(join(folder, name), 'utf8') }))
const testFiles = files.filter(({ name }) => name.endsWith('.test.ts'))

test('a wait has the bound that the configuration gives to all of them: expect.poll, never the second of vi.waitFor', () => {
  const bad = files.filter(({ text }) => /\bvi\.(waitFor|waitUntil)\(/.test(text))
  expect(bad.map(({ name }) => name)).toEqual([])
})

test('a test that may be skipped prints why: its condition comes from a helper that does so', () => {
  const bad = testFiles.flatMap(({ name, text }) =>
    [...text.matchAll(/\.(?:runIf|skipIf)\(|\b(?:context|ctx|task)\.skip\(/g)]
      .filter(({ index }) => !asksHelper(text, index))
      .map(({ index }) => `${name}: ${lineAt(text, index)}`),
  )
  expect(bad).toEqual([])
})

test('a test that starts a program by its name asks first whether it is there', () => {
  const starts = /\b(?:execFile|execFileSync|spawn|spawnSync|program|run)\(\s*'[a-z]/
  const bad = testFiles.filter(({ text }) => starts.test(text) && /child_process|program\.ts/.test(text))
  expect(bad.filter(({ text }) => !/(?<!{ )needs(Program|Root)\b/.test(text)).map(({ name }) => name)).toEqual([])
})

/** True if the line, or the definition of a name on it, calls one of the helpers `needs…`. */
function asksHelper(text: string, index: number): boolean {
  const line = lineAt(text, index)
  const names = line.match(/\b[a-zA-Z]\w*\b/g) ?? []
  const definitions = names.map(name => new RegExp(`\\bconst ${name}\\b[^\\n]*\\n?[^\\n]*\\bneeds`))
  return /\bneeds[A-Z(]/.test(line) || definitions.some(definition => definition.test(text))
}

function lineAt(text: string, index: number): string {
  return text.slice(text.lastIndexOf('\n', index) + 1, text.indexOf('\n', index)).trim()
}
