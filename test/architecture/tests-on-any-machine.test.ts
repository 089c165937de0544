import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

/* What makes a test fail on another machine than that of its author is kept out of all of them. */

const folder = join(import.meta.dirname, '..')
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => /\.m?ts$/.test(name))
const holding = (pattern: RegExp) => files.filter(name => pattern.test(readFileSync(join(folder, name), 'utf8')))

test('a wait has the bound that the configuration gives to all of them: expect.poll, never the second of vi.waitFor', () => {
  expect(holding(/\bvi\.(waitFor|waitUntil)\(/)).toEqual([])
})
