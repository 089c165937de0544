import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { frozenCopy } from '../../bench/harness/compare.mjs'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

test('the copy of a build is a package of modules, as the build itself: Node does not parse its files twice', () => {
  using directory = temporaryDirectory('bench')
  const library = join(directory.path, 'dist')
  mkdirSync(library)
  writeFileSync(join(library, 'index.js'), 'export {}\n')
  const copy = frozenCopy(library, directory.path)
  expect(readFileSync(join(copy, 'index.js'), 'utf8')).toBe('export {}\n')
  expect(JSON.parse(readFileSync(join(copy, '../package.json'), 'utf8'))).toMatchObject({ type: 'module' })
})
