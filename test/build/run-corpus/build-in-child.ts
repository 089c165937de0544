import { spawn } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { bundleChild } from '../../helpers/bundle-child.ts'
import { nodeForAnyone } from '../../helpers/node-for-anyone.ts'
import type { PlainUser } from '../../helpers/plain-users.ts'
import { program } from '../../helpers/program.ts'
import { writeContext } from '../corpus/contexts.ts'
import { runContexts } from './contexts.ts'
import type { DescribedFailure, DescribedRun } from './describe-run.ts'
import type { RunCase } from './run-case.ts'

/** What a build made, and the steps that were made again by a second build. */
export interface ChildBuild {
  readonly made: DescribedRun | DescribedFailure
  readonly again: readonly string[]
}

/**
 * Builds cases in a process of a user, with the sandbox of this machine for that user. Resolves to the results by the
 * names of the cases.
 *
 * PERF: a bundled program costs half the processor time of a process of the tests: that one is large, and each of its
 * threads compiles TypeScript.
 */
export async function buildInChild(
  directory: string,
  user: PlainUser,
  cases: readonly RunCase[],
): Promise<ReadonlyMap<string, ChildBuild>> {
  using bundle = await bundleChild('run-corpus-child.mjs', true)
  using node = nodeForAnyone()
  await program('chmod', ['-R', 'a+rX', join(bundle.path, '..')])
  const [contexts, place] = [join(directory, 'contexts'), join(directory, 'of-user')]
  for (const [name, files] of Object.entries(runContexts)) {
    mkdirSync(join(contexts, name), { recursive: true })
    writeContext(join(contexts, name), files)
  }
  await program('chown', ['-R', `${user.uid}:${user.gid}`, contexts])
  chmodSync(directory, 0o755)
  mkdirSync(place)
  chownSync(place, user.uid, user.gid)
  const job = join(directory, 'job.json')
  writeFileSync(job, JSON.stringify({ directory: place, contexts, names: cases.map(({ name }) => name) }))
  const child = spawn(node.path, [bundle.path, job], {
    uid: user.uid,
    gid: user.gid,
    cwd: '/',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: place, TMPDIR: place },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = (await text(child.stdout)).trimEnd().split('\n')
  return new Map(lines.map(line => JSON.parse(line) as [string, ChildBuild]))
}
