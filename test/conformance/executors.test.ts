import { describe, expect, test } from 'vitest'
import { bubblewrap, chroot, type Executor, runc } from '../../lib/sandbox/index.ts'
import { executorConformance } from '../../lib/testing/index.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { testConformance } from '../helpers/test-conformance.ts'

const able = [needsRoot(), needsProgram('busybox')].every(Boolean)
const LIMITED_EARLY = {
  'limits act on the process only, not on what isolates it': 'runc needs files after it has set them',
}
const NO_NEW_PRIVILEGES = 'bubblewrap always sets no_new_privs'
const executors: Record<string, { create(): Executor; without?: Record<string, string> }> = {
  bwrap: { create: () => bubblewrap(), without: { 'a set-id program gains privileges': NO_NEW_PRIVILEGES } },
  runc: { create: () => runc(), without: LIMITED_EARLY },
  chroot: { create: () => chroot() },
}

for (const [name, subject] of Object.entries(executors)) {
  const isThere = able && needsProgram(name)
  describe.skipIf(!isThere)(`the executor ${name}`, () => {
    testConformance(executorConformance(subject))

    test('says that it works', async () => {
      const note = name === 'chroot' ? { note: 'the weakest isolation' } : {}
      expect(await subject.create().probe()).toEqual({ works: true, ...note })
    })
  })
}
