import { strict as assert } from 'node:assert'
import type { ProcessLimits } from '../../sandbox/index.ts'
import { failsWith } from '../store-conformance/subject.ts'
import { APP, type ExecutorCase, ROOT } from './executor-subject.ts'
import { assertNoProcess, uniqueSeconds } from './is-running.ts'

const MIB = 2 ** 20

/** Cases for limits. */
export const limitCases: readonly ExecutorCase[] = [
  {
    name: 'a process is killed at the end of its time, with all that it started',
    async run({ run }) {
      const seconds = uniqueSeconds()
      const script = `trap "" TERM; sleep ${seconds} & sleep ${seconds}`
      assert.equal((await run(script, { limits: { seconds: 0.3 } })).limit, 'seconds')
      await assertNoProcess(seconds)
      assert.deepEqual(await run('true', { limits: { seconds: 60 } }), { code: 0, stdout: '', stderr: '' })
    },
  },
  {
    name: 'all processes together cannot have more memory than the limit',
    async run({ run }) {
      const hungry = 'x=x; while true; do x=$x$x; done'
      const { code, limit } = await run(hungry, { limits: { memory: 48 * MIB } })
      assert.notEqual(code, 0)
      assert.equal(limit, 'memory')
      assert.deepEqual(await run('true', { limits: { memory: 48 * MIB } }), { code: 0, stdout: '', stderr: '' })
    },
  },
  {
    name: 'each process has the limits of its resources',
    async run({ run }) {
      const resources = [
        { name: 'nofile', soft: 100, hard: 200 },
        { name: 'core', soft: 0, hard: 0 },
      ] as const
      for (const user of [ROOT, APP]) {
        const { stdout } = await run('ulimit -Sn; ulimit -Hn; ulimit -Sc', { user, limits: { resources } })
        assert.equal(stdout, '100\n200\n0\n')
      }
    },
  },
  {
    name: 'limits act on the process only, not on what isolates it',
    async run({ run }) {
      // A program needs four to start; a shell makes a copy of its script at a number from 10.
      const resources = [
        { name: 'nofile', soft: 5, hard: 5 },
        { name: 'fsize', soft: 0, hard: 0 },
      ] as const
      for (const user of [ROOT, APP]) {
        const { stdout } = await run('ulimit -n; ulimit -f', { user, limits: { resources } })
        assert.equal(stdout, '5\n0\n')
      }
    },
  },
  {
    name: 'a soft limit above the hard one is refused before the program is looked for',
    async run({ run }) {
      const wrong: ProcessLimits = { resources: [{ name: 'nofile', soft: 'unlimited', hard: 200 }] }
      await failsWith('ERR_SANDBOX_LIMIT', () => run('', { args: ['no-such-program'], limits: wrong }))
    },
  },
  {
    name: 'there cannot be more processes than the limit',
    async run({ run }) {
      // An executor may need some threads to start the program: runc's own code had six and more on a busy machine.
      const processes = 25
      const many = 'i=0; while [ $i -lt 40 ]; do sleep 5 & i=$((i+1)); done; exit 1'
      const { code, limit } = await run(many, { limits: { processes } })
      assert.notEqual(code, 0)
      assert.equal(limit, 'processes')
      const few = await run('sleep 0 & sleep 0 & wait; echo well', { limits: { processes, memory: 64 * MIB } })
      assert.deepEqual(few, { code: 0, stdout: 'well\n', stderr: '' })
    },
  },
]
