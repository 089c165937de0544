import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bubblewrap } from '../../lib/sandbox/index.ts'
import { executorConformance } from '../../lib/testing/index.ts'
import { bundleChild } from '../helpers/bundle-child.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { nodeForAnyone } from '../helpers/node-for-anyone.ts'
import { needsUserWithRanges } from '../helpers/plain-users.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const needed = ['busybox', 'newuidmap', 'unshare', 'script', 'ip']
const able = [needsRoot(), ...needed.map(needsProgram)].every(Boolean)
const user = able ? needsUserWithRanges() : undefined

/** Control groups belong to root unless an administrator gives some to a user. */
const NO_GROUPS = 'a plain user has no control group'
const groups = {
  'all processes together cannot have more memory than the limit': NO_GROUPS,
  'there cannot be more processes than the limit': NO_GROUPS,
}

const noPrivileges = { 'a set-id program gains privileges': 'bubblewrap always sets no_new_privs' }

const limitedEarly = {
  'limits act on the process only, not on what isolates it': 'runc needs files after it has set them',
}

describe.skipIf(!user).each([
  ['bubblewrap', 'bwrap', { ...groups, ...noPrivileges }],
  ['runc', 'runc', { ...groups, ...limitedEarly }],
  ['chroot', 'unshare', groups],
] as const)('the executor %s of a plain user', (executor, program, without) => {
  const isThere = needsProgram(program)
  const errors = new Map<string, string | undefined>()
  let place: ReturnType<typeof temporaryDirectory>
  let bundle: Awaited<ReturnType<typeof bundleChild>>
  let node: ReturnType<typeof nodeForAnyone>
  beforeAll(async () => {
    if (!isThere) return
    bundle = await bundleChild('rootless-conformance-child.mjs', true)
    chmodSync(dirname(bundle.path), 0o755)
    node = nodeForAnyone()
    place = temporaryDirectory('rootless-executor')
    const { uid, gid } = user!
    chownSync(place.path, uid, gid)
    const env = { PATH: '/usr/bin:/bin', HOME: place.path, TMPDIR: place.path }
    const args = [bundle.path, `${place.path}/snapshots`, executor, JSON.stringify(without)]
    const printed = execFileSync(node.path, args, { uid, gid, env, cwd: '/', encoding: 'utf8' })
    for (const line of printed.trim().split('\n')) {
      const { name, error } = JSON.parse(line) as { name: string; error?: string }
      errors.set(name, error)
    }
  })
  afterAll(() => {
    for (const each of [place, bundle, node]) each?.[Symbol.dispose]()
  })

  for (const { name, skip } of executorConformance({ create: bubblewrap, without })) {
    test.runIf(isThere)(skip ? `${name} (not here: ${skip})` : name, () => {
      expect(errors.has(name)).toBe(true)
      expect(errors.get(name)).toBeUndefined()
    })
  }
})
