import { lstatSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { identityOf, isIdentity } from '../../../lib/build/context/file-identity.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

test.each([0, 1, 0.25, 1_700_000_000, 1_700_000_000.123457, 4_000_000_000.5])(
  'the numbers of a file whose time is %d are those of its exact identity',
  time => {
    using directory = temporaryDirectory('file-identity')
    const path = join(directory.path, 'f')
    writeFileSync(path, 'content')
    utimesSync(path, time, time)
    const [exact, numbers] = [identityOf(lstatSync(path, { bigint: true })), lstatSync(path)]
    expect(isIdentity(exact, 0, numbers)).toBe(true)
    expect(isIdentity(`before${exact}`, 6, numbers)).toBe(true)
    expect(isIdentity(exact, 0, exact)).toBe(true)
  },
)

const [EXACT, NUMBERS] = [
  '64:7:20:1700000000123456789:1700000001000000000',
  { dev: 64, ino: 7, size: 20, mtimeMs: 1_700_000_000_000 + 123_456_789 / 1e6, ctimeMs: 1_700_000_001_000 },
]

test.each([
  { dev: 65 },
  { ino: 8 },
  { size: 21 },
  { mtimeMs: NUMBERS.mtimeMs + 1 },
  // The smallest step of the numbers.
  { ctimeMs: NUMBERS.ctimeMs + 1 / 4096 },
])('a file with other numbers (%o) is another one', other => {
  expect(isIdentity(EXACT, 0, NUMBERS)).toBe(true)
  expect(isIdentity(EXACT, 0, { ...NUMBERS, ...other })).toBe(false)
})

test.each(['', '64:7:20', `${EXACT}:`, `${EXACT}:1`, EXACT.replace('20', '2x'), EXACT.replace('7', ''), 'id:1'])(
  'the text %j is the identity of no file',
  text => {
    expect(isIdentity(text, 0, NUMBERS)).toBe(false)
    expect(isIdentity(text, 0, EXACT)).toBe(false)
  },
)
