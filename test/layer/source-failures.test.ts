import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fromDirectory } from '../../lib/layer/index.ts'
import { openFailure } from '../../lib/layer/source/open-file.ts'
import { SourceReadFailure, sourceError } from '../../lib/layer/source/source-fault.ts'
import { loadXattrLister } from '../../lib/layer/source/xattrs.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const refused = (code: string) => Object.assign(new Error(`${code}: no`), { code, errno: -1, syscall: 'open' })

test.each([
  ['ENOENT', 'ERR_SOURCE_CHANGED'],
  ['ELOOP', 'ERR_SOURCE_CHANGED'],
  ['EACCES', 'ERR_SOURCE_READ'],
  ['EIO', 'ERR_SOURCE_READ'],
])('what the system says with %s is told as %s, with its cause', (said, code) => {
  const error = sourceError(openFailure('/a/b', refused(said)).fault)
  expect(error).toMatchObject({ code, path: '/a/b', cause: { code: said, syscall: 'open' } })
})

test('a failure without a cause has none', () => {
  expect(sourceError(new SourceReadFailure('ERR_SOURCE_READ', 'no', 'x').fault).cause).toBeUndefined()
})

test('a loop of links is no directory', async () => {
  using place = temporaryDirectory('loop')
  symlinkSync('loop', join(place.path, 'loop'))
  const walk = () => fromDirectory(join(place.path, 'loop')).next()
  expect(await thrownBy(walk as () => Promise<unknown>)).toMatchObject({ code: 'ERR_SOURCE_NOT_FOUND' })
})

test('a file system without extended attributes has none, and one that fails is reported', async () => {
  using place = temporaryDirectory('xattrs')
  mkdirSync(join(place.path, 'd'))
  const module = (code: string) => {
    const path = join(place.path, `${code}.mjs`)
    const throws = `throw Object.assign(new Error('no'), { code: '${code}' })`
    writeFileSync(
      path,
      `export default { listAttributesSync() { ${throws} }, getAttributeSync() {}, setAttributeSync() {} }`,
    )
    return path
  }
  expect((await loadXattrLister(module('ENOTSUP')))('/f', 'file', 0)).toBeUndefined()
  const list = await loadXattrLister(module('EIO'))
  expect(() => list('/f', 'file', 0)).toThrow(SourceReadFailure)
})
