import { expect, test } from 'vitest'
import { loadXattrSetter, refusedXattr } from '../../../lib/rootfs/unpack/entries/xattrs.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'

const module = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`

test('the package for attributes is used if it is there, whichever way it exports', async () => {
  const calls: unknown[][] = []
  Object.assign(globalThis, { xattrCalls: calls })
  const act = '(...args) => { globalThis.xattrCalls.push(args) }'
  for (const text of [`export const setAttributeSync = ${act}`, `export default { setAttributeSync: ${act} }`]) {
    const set = await loadXattrSetter(module(text))
    set?.('/path', 'user.a', Buffer.from('x'))
  }
  expect(calls).toEqual([
    ['/path', 'user.a', Buffer.from('x')],
    ['/path', 'user.a', Buffer.from('x')],
  ])
})

test('without it there is none; a package that fails is not hidden', async () => {
  expect(await loadXattrSetter('layerstore-no-such-package')).toBeUndefined()
  expect(await loadXattrSetter(module('export default {}'))).toBeUndefined()
  expect(await thrownBy(() => loadXattrSetter(module('throw new Error("broken")')))).toMatchObject({
    message: 'broken',
  })
})

test('names that overlayfs or the host would obey are refused, others are not', () => {
  const refused = ['trusted.overlay.opaque', 'user.overlay.redirect', 'security.selinux', '', 'user.a\0b']
  expect(refused.map(name => typeof refusedXattr(name))).toEqual(refused.map(() => 'string'))
  expect(['user.overlays', 'security.capability', 'user.__proto__', 'trusted.x'].map(refusedXattr)).toEqual(
    Array(4).fill(undefined),
  )
})
