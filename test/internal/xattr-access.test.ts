import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findXattrPackage, loadXattrAccess } from '../../lib/internal/xattr-access.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

let place: ReturnType<typeof temporaryDirectory>
let count = 0
beforeAll(() => {
  place = temporaryDirectory('package')
})
afterAll(() => place[Symbol.dispose]())

/** A package that is one module of this text. */
function module(text: string): string {
  const file = join(place.path, `${count++}.mjs`)
  writeFileSync(file, text)
  return file
}

const acts = {
  listAttributesSync: '(...args) => { globalThis.xattrCalls.push(args); return ["user.a"] }',
  getAttributeSync: '(...args) => { globalThis.xattrCalls.push(args); return Buffer.from("v") }',
  setAttributeSync: '(...args) => { globalThis.xattrCalls.push(args) }',
}

const named = Object.entries(acts).map(([name, act]) => `export const ${name} = ${act};`)
const whole = `export default { ${Object.entries(acts).map(([name, act]) => `${name}: ${act}`)} }`
test.each([
  ['by name', named.join('\n')],
  ['as a whole', whole],
])('the package for attributes is used if it is there, and exports %s', async (_, text) => {
  const calls: unknown[][] = []
  Object.assign(globalThis, { xattrCalls: calls })
  const access = await loadXattrAccess(module(text))
  access?.set('/path', 'user.a', Uint8Array.of(120))
  expect(access?.list('/path')).toEqual(['user.a'])
  expect(access?.get('/path', 'user.a')).toEqual(Buffer.from('v'))
  expect(calls).toEqual([['/path', 'user.a', Buffer.from('x')], ['/path'], ['/path', 'user.a']])
})

test('without it, or without its native part, there is none; a package that fails is not hidden', async () => {
  expect(findXattrPackage('layerstore-no-such-package')).toBeUndefined()
  expect(findXattrPackage(module(whole))).toContain('.mjs')
  expect(await loadXattrAccess(undefined)).toBeUndefined()
  expect(await loadXattrAccess(join(place.path, 'absent.mjs'))).toBeUndefined()
  expect(await loadXattrAccess(module('export default {}'))).toBeUndefined()
  const notBuilt = 'throw Object.assign(new Error("Cannot find module"), { code: "MODULE_NOT_FOUND" })'
  expect(await loadXattrAccess(module(notBuilt))).toBeUndefined()
  expect(await thrownBy(() => loadXattrAccess(module('throw new Error("broken")')))).toMatchObject({
    message: 'broken',
  })
})
