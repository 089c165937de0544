import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { needsProgram } from '../../helpers/needs-program.ts'
import { needsRoot } from '../../helpers/needs-root.ts'
import { needsUserWithRanges } from '../../helpers/plain-users.ts'
import { sweep } from '../../helpers/sweep.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { buildInChild } from './build-in-child.ts'
import { runCorpus } from './cases.ts'
import { expectedOf } from './expected.ts'

const needed = ['bwrap', 'busybox', 'newuidmap', 'unshare']
const able = [needsRoot(), ...needed.map(needsProgram)].every(Boolean)
const user = able ? needsUserWithRanges() : undefined

/** Builds that need devices of the base or make some, and one that writes to a set-id file (R10). */
const needsPrivileges = (name: string) =>
  /^(bases 20|removals 20|renames 9|modes and owners (4|8)|contents 13|cache mounts 8):/.test(name)
const cases = runCorpus.filter(({ name }, i) => i % sweep(2, 16) === 1 && !needsPrivileges(name))

describe.runIf(user)('builds of a user without privileges', () => {
  let directory: ReturnType<typeof temporaryDirectory>
  let builds: Awaited<ReturnType<typeof buildInChild>>
  beforeAll(async () => {
    directory = temporaryDirectory('run-corpus')
    builds = await buildInChild(directory.path, user!, cases)
  }, 600_000)
  afterAll(() => directory?.[Symbol.dispose]())

  test.each(cases)('equal the Docker Engine, and are cached: $name', entry => {
    expect(builds.get(entry.name)).toEqual({ made: expectedOf(entry, 'bubblewrap'), again: [] })
  })
})
