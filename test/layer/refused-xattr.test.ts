import { expect, test } from 'vitest'
import { refusedXattr } from '../../lib/layer/refused-xattr.ts'

test('names that overlayfs or the host would obey are refused, others are not', () => {
  const refused = [
    'trusted.overlay.opaque',
    'user.overlay.redirect',
    'user.fuseoverlayfs.opaque',
    'security.selinux',
    '',
    'user.a\0b',
  ]
  expect(refused.map(name => typeof refusedXattr(name))).toEqual(refused.map(() => 'string'))
  expect(['user.overlays', 'security.capability', 'user.__proto__', 'trusted.x'].map(refusedXattr)).toEqual(
    Array(4).fill(undefined),
  )
})
