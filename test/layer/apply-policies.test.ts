import { expect, test } from 'vitest'
import { applyPolicies, setPolicies } from '../../lib/layer/index.ts'
import type { TarInput } from '../../lib/tar/index.ts'

const ENTRIES: readonly TarInput[] = [
  { path: 'file', type: 'file', content: new Uint8Array(0) },
  { path: 'program', type: 'file', mode: 0o4711, uid: 7, gid: 8, mtime: 9, content: new Uint8Array(0) },
  { path: 'directory', type: 'directory' },
  { path: 'hard', type: 'hardlink', linkname: 'program' },
  { path: 'link', type: 'symlink', linkname: 'file', uid: 1 },
]

test.each([
  ['none', {}],
  ['numbers', { mtime: 5, uid: 3, gid: 4, mode: 'normal' }],
  ['functions', { mode: (path: string) => path.length, mtime: () => 1, uid: (_: number, path: string) => path.length }],
] as const)('an entry of its own gets the members that a copy of it gets: %s', (_, policies) => {
  const [apply, set] = [applyPolicies(policies), setPolicies(policies)]
  for (const entry of ENTRIES) {
    const own = { ...entry }
    expect(set(own)).toBe(own)
    expect(own).toEqual(apply(entry))
  }
})
