import { strict as assert } from 'node:assert'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Executor, ProcessExit, ProcessSpec, ProcessUser } from '../../sandbox/index.ts'
import type { ConformanceCase } from '../store-conformance/subject.ts'
import { makeTestRoot } from './make-test-root.ts'

/** An executor under test. */
export interface ExecutorSubject {
  /** Creates the executor. Called once for each case. */
  create(): Executor
  /** Path of busybox on this machine, linked statically. @defaultValue `'/bin/busybox'` */
  readonly busybox?: string | undefined
  /** Names of cases that do not apply, each with the reason. An unknown name is an error. */
  readonly without?: Readonly<Record<string, string>> | undefined
}

/** Exit and output of a process. */
export interface RanProcess extends ProcessExit {
  readonly stdout: string
  readonly stderr: string
}

/** Context of a running case. */
export interface ExecutorContext {
  readonly executor: Executor
  /** A directory of the case, in which `root` is the root filesystem. */
  readonly directory: string
  /** Path on this machine of a path in the root filesystem. */
  inRoot(path: string): string
  /** Runs a script of the shell in the root filesystem, as root unless the spec says otherwise. */
  run(script: string, spec?: Partial<ProcessSpec>): Promise<RanProcess>
}

/** A case before it is bound to a subject. */
export interface ExecutorCase {
  readonly name: string
  run(context: ExecutorContext): Promise<void>
}

/** Root of the test root filesystem. */
export const ROOT: ProcessUser = { uid: 0, gid: 0, groups: [], home: '/root' }
/** A user of the test root filesystem. */
export const APP: ProcessUser = { uid: 1000, gid: 1001, groups: [50], home: '/home/app' }

/** Binds cases to a subject. */
export function executorCasesFor(definitions: readonly ExecutorCase[], subject: ExecutorSubject): ConformanceCase[] {
  const { without = {} } = subject
  for (const name of Object.keys(without)) {
    assert.ok(
      definitions.some(definition => definition.name === name),
      `no conformance case is named ${JSON.stringify(name)}`,
    )
  }
  return definitions.map(definition => ({
    name: definition.name,
    skip: without[definition.name],
    run: () => runCase(definition, subject),
  }))
}

async function runCase(definition: ExecutorCase, { create, busybox = '/bin/busybox' }: ExecutorSubject): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'layerstore-executor-'))
  try {
    const root = join(directory, 'root')
    await makeTestRoot(root, busybox)
    const executor = create()
    const run = (script: string, spec: Partial<ProcessSpec> = {}) =>
      runProcess(executor, { ...defaults(root, directory, script), ...spec })
    await definition.run({ executor, directory, inRoot: path => join(root, path), run })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function defaults(root: string, scratch: string, script: string): ProcessSpec {
  return {
    root,
    scratch,
    args: ['/bin/sh', '-c', script],
    environment: ['PATH=/bin'],
    workdir: '/',
    user: ROOT,
    mounts: [],
    network: 'default',
  }
}

/** Runs a process and gathers its output. */
async function runProcess(executor: Executor, spec: ProcessSpec): Promise<RanProcess> {
  const written = { stdout: '', stderr: '' }
  const exit = await executor.run({
    ...spec,
    onOutput: (chunk, stream) => {
      written[stream] += Buffer.from(chunk).toString('utf8')
      spec.onOutput?.(chunk, stream)
    },
  })
  return { ...exit, ...written }
}
