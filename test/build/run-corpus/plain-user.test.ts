import { spawn } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleChild } from '../../helpers/bundle-child.ts'
import { needsProgram } from '../../helpers/needs-program.ts'
import { needsRoot } from '../../helpers/needs-root.ts'
import { nodeForAnyone } from '../../helpers/node-for-anyone.ts'
import { needsUserWithRanges } from '../../helpers/plain-users.ts'
import { program } from '../../helpers/program.ts'
import { sweep } from '../../helpers/sweep.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { writeContext } from '../corpus/contexts.ts'
import { runCorpus } from './cases.ts'
import { runContexts } from './contexts.ts'
import type { DescribedFailure, DescribedRun } from './describe-run.ts'
import { expectedOf } from './expected.ts'

const needed = ['bwrap', 'busybox', 'newuidmap', 'unshare']
const able = [needsRoot(), ...needed.map(needsProgram)].every(Boolean)
const user = able ? needsUserWithRanges() : undefined
/** Builds that need devices of the base or make some, and one that writes to a set-id file (R10). */
const needsPrivileges = (name: string) => /^(renames 9|modes and owners (4|8)|contents 13|cache mounts 8):/.test(name)
const cases = runCorpus.filter(({ name }, i) => i % sweep(4, 16) === 1 && !needsPrivileges(name))

/** Builds cases in a process of a user without privileges. Resolves to what they made, by their names. */
async function buildAsUser(directory: string, owner: NonNullable<typeof user>) {
  using bundle = await bundleChild('run-corpus-child.mjs', true)
  using node = nodeForAnyone()
  await program('chmod', ['-R', 'a+rX', join(bundle.path, '..')])
  const [contexts, place] = [join(directory, 'contexts'), join(directory, 'of-user')]
  for (const [name, files] of Object.entries(runContexts)) {
    mkdirSync(join(contexts, name), { recursive: true })
    writeContext(join(contexts, name), files)
  }
  await program('chown', ['-R', `${owner.uid}:${owner.gid}`, contexts])
  chmodSync(directory, 0o755)
  mkdirSync(place)
  chownSync(place, owner.uid, owner.gid)
  const job = join(directory, 'job.json')
  writeFileSync(job, JSON.stringify({ directory: place, contexts, names: cases.map(({ name }) => name) }))
  const child = spawn(node.path, [bundle.path, job], {
    ...owner,
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', HOME: place, TMPDIR: place },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = (await text(child.stdout)).trimEnd().split('\n')
  return new Map(lines.map(line => JSON.parse(line) as [string, DescribedRun | DescribedFailure]))
}

describe.runIf(user)('builds of a user without privileges', () => {
  let directory: ReturnType<typeof temporaryDirectory>
  let made: Awaited<ReturnType<typeof buildAsUser>>
  beforeAll(async () => {
    directory = temporaryDirectory('run-corpus')
    made = await buildAsUser(directory.path, user!)
  }, 300_000)
  afterAll(() => directory?.[Symbol.dispose]())

  test.each(cases)('equal the Docker Engine: $name', entry => {
    expect(made.get(entry.name)).toEqual(expectedOf(entry, 'bubblewrap'))
  })
})
