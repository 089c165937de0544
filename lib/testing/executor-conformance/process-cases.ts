import { strict as assert } from 'node:assert'
import { chmod, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProcessSpec, RunningProcess } from '../../sandbox/index.ts'
import { failsWith } from '../store-conformance/subject.ts'
import { APP, type ExecutorCase, ROOT } from './executor-subject.ts'
import { assertNoProcess, isRunning, uniqueSeconds } from './is-running.ts'

/** Cases for what a process is and how it ends. */
export const processCases: readonly ExecutorCase[] = [
  {
    name: 'a process has its user, groups, directory, variables, exit code and streams',
    async run({ inRoot, run }) {
      await mkdir(inRoot('work'))
      const script = 'id; pwd; echo "$A"; cat; echo fault >&2; exit 7'
      const spec = { workdir: '/work', environment: ['PATH=/bin', "A=it's\n$PATH  x"] }
      const expected = (id: string) => ({ code: 7, stdout: `${id}\n/work\nit's\n$PATH  x\n`, stderr: 'fault\n' })
      assert.deepEqual(await run(script, spec), expected('uid=0(root) gid=0(root)'))
      const app = await run(script, { ...spec, user: APP })
      assert.deepEqual(app, expected('uid=1000(app) gid=1001(web) groups=50(logs)'))
      const root = await run('id', { user: { ...ROOT, groups: [0, 50] } })
      assert.match(root.stdout, /^uid=0\(root\) gid=0\(root\) groups=(0\(root\),)?50\(logs\)\n$/)
    },
  },
  {
    name: 'a process needs no shell in its root filesystem, in any directory and as any user',
    async run({ inRoot, run }) {
      await mkdir(inRoot('work'))
      await rm(inRoot('bin/sh'))
      for (const user of [ROOT, APP]) {
        assert.equal((await run('', { args: ['pwd'], workdir: '/work', user })).stdout, '/work\n')
      }
    },
  },
  {
    name: 'a process has exactly the variables that it is given',
    async run({ run }) {
      const environment = [
        'PATH=/bin',
        'A=',
        'odd-name=x y',
        'TMPDIR=/t',
        'TZDIR=/z',
        'IFS=:',
        '_=u',
        'OPTIND=x',
        'LINENO=y',
        'BASH_VERSINFO=z',
        'RANDOM=r',
      ]
      const exact = await run('', { args: ['env'], environment, user: APP })
      // runc adds HOME if it is missing, and bubblewrap PWD, as shells do.
      const own = exact.stdout.split('\n').filter(line => !/^(HOME|PWD)=|^$/.test(line))
      assert.deepEqual(own.sort(), [...environment].sort())
      const loader = ['PATH=/bin', 'LD_PRELOAD=/no/such.so', "LD_LIBRARY_PATH=/it's"]
      for (const user of [ROOT, APP]) {
        const { stdout, stderr } = await run('', { args: ['env'], environment: loader, user })
        // A program of this machine would say that it cannot load the library.
        assert.equal(stderr, '')
        for (const variable of loader) assert.ok(stdout.split('\n').includes(variable))
        assert.ok(!stdout.includes('layerstore'))
      }
    },
  },
  {
    name: 'a text that another program could take for its options starts nothing, and no value is in the message',
    async run({ directory, inRoot, run }) {
      const refused = (spec: Partial<ProcessSpec>) =>
        assert.rejects(
          run('echo x >/host/written', spec),
          (error: Error & { code?: string }) => error.code === 'ERR_SANDBOX_START' && !error.message.includes('hidden'),
        )
      await mkdir(inRoot('host'))
      for (const user of [ROOT, APP]) {
        await refused({ user, environment: ['PATH=/bin', `A=hidden\0--bind\0${directory}\0/host`] })
        await refused({ user, environment: ['PATH=/bin', '-S/bin/true=hidden', 'A=1'] })
        await refused({ user, environment: ['PATH=/bin', '=hidden'] })
        await refused({ user, environment: ['PATH=/bin', 'hidden'] })
        await refused({ user, workdir: `/\0--bind\0${directory}\0/host` })
        await refused({ user, hostname: `x\0--bind\0${directory}\0/host` })
        await refused({ user, args: ['/bin/sh', '-c\0--bind'] })
      }
      assert.deepEqual(await readdir(directory), ['root'])
      assert.deepEqual(await readdir(inRoot('host')), [])
    },
  },
  {
    name: 'a process is the first one of its namespace, and has the umask 0022',
    async run({ run }) {
      const { stdout } = await withUmask(0o077, () => run('kill -9 $$; echo $$; umask; ls /proc | grep -c "^[0-9]*$"'))
      assert.match(stdout, /^1\n0022\n[1-9]\n$/)
    },
  },
  {
    name: 'the exit code of a child that a signal has killed is 128 and the number of the signal',
    async run({ run }) {
      for (const user of [ROOT, APP]) {
        assert.equal((await run('sh -c "kill -9 \\$\\$"; exit $?', { user })).code, 137)
        assert.equal((await run('sh -c "kill -15 \\$\\$"; exit $?', { user })).code, 143)
      }
    },
  },
  {
    name: 'a process that is killed from outside ends with 137, and nothing is added to its output',
    async run({ run }) {
      const running: RunningProcess[] = []
      const onOutput = () => running[0]?.kill('SIGKILL')
      const exit = await run('echo up; sleep 60; echo down', { onStart: one => running.push(one), onOutput })
      assert.deepEqual(exit, { code: 137, stdout: 'up\n', stderr: '' })
    },
  },
  {
    name: 'a process gets the signals of the caller',
    async run({ run }) {
      for (const user of [ROOT, APP]) {
        const running: RunningProcess[] = []
        const onOutput = () => running[0]?.kill('SIGTERM')
        const script = 'trap "exit 9" TERM; echo up; while true; do sleep 0.01; done'
        const { code } = await run(script, { user, onStart: one => running.push(one), onOutput })
        assert.equal(code, 9)
        running[0]?.kill('SIGTERM')
      }
    },
  },
  {
    name: 'a process reads what the caller gives, and nothing by default',
    async run({ run }) {
      assert.equal((await run('cat; echo end')).stdout, 'end\n')
      assert.equal((await run('cat', { stdin: given() })).stdout, 'one\ntwo\n')
      assert.equal((await run('true', { stdin: given() })).code, 0)
    },
  },
  {
    name: 'a process has a terminal if it is asked for, and none else',
    async run({ run }) {
      const script = '[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo terminal; exit 5'
      assert.deepEqual(await run(script), { code: 5, stdout: '', stderr: '' })
      for (const user of [ROOT, APP]) {
        const { code, stdout } = await run(script, { terminal: true, user })
        assert.deepEqual({ code, stdout }, { code: 5, stdout: 'terminal\r\n' })
      }
    },
  },
  {
    name: 'a program that does not exist or cannot be executed is an error that names it',
    async run({ inRoot, run }) {
      await writeFile(inRoot('bin/broken'), '#!/no/interpreter\n')
      await chmod(inRoot('bin/broken'), 0o755)
      for (const user of [ROOT, APP]) {
        for (const name of ['/bin/missing', 'missing', '/etc', '/etc/passwd', '/bin/broken', '']) {
          const call = () => run('', { args: [name], environment: ['PATH=/bin:/tools'], user })
          await failsWith('ERR_SANDBOX_PROGRAM', call)
          await assert.rejects(call, (error: Error) => error.message.includes(JSON.stringify(name)))
        }
      }
      await assert.rejects(run('', { args: ['missing'], environment: ['PATH=/bin:/tools'] }), /\/bin:\/tools/)
    },
  },
  {
    name: 'a program is found in mounts and behind links',
    async run({ directory, inRoot, run }) {
      await mkdir(join(directory, 'tools'))
      await symlink('/bin/busybox', join(directory, 'tools/head'))
      await symlink('bin', inRoot('sbin'))
      const mounts = [{ type: 'bind', source: join(directory, 'tools'), target: '/tools', readOnly: true } as const]
      const environment = ['PATH=/nowhere:/tools']
      const { stdout } = await run('', { args: ['head', '-n1', '/etc/group'], mounts, environment, user: APP })
      assert.equal(stdout, 'root:x:0:\n')
      assert.equal((await run('', { args: ['/sbin/true'] })).code, 0)
    },
  },
  {
    name: 'what a process leaves running is killed at its end',
    async run({ run }) {
      const seconds = uniqueSeconds()
      for (const user of [ROOT, APP]) {
        await run(`sleep ${seconds} & (sleep ${seconds} &) ; echo; true`, { user })
        await assertNoProcess(seconds)
      }
    },
  },
  {
    name: 'an aborted call kills everything and rejects with the reason',
    async run({ run }) {
      for (const user of [ROOT, APP]) {
        const seconds = uniqueSeconds()
        const stop = new AbortController()
        const onOutput = () => stop.abort(new Error('enough'))
        const script = `trap "" TERM INT; sleep ${seconds} & echo up; sleep ${seconds}`
        await assert.rejects(run(script, { user, signal: stop.signal, onOutput }), /^Error: enough$/)
        await assertNoProcess(seconds)
      }
      await assert.rejects(run('true', { signal: AbortSignal.abort(new Error('before')) }), /^Error: before$/)
    },
  },
  {
    name: 'variables are on no command line of this machine',
    async run({ run }) {
      const secret = `secret-${uniqueSeconds()}`
      const variables = [`TOKEN=${secret}`, `npm.token=${secret}`, `LD_AUDIT_TOKEN=${secret}`]
      let shown = true
      const done = new AbortController()
      const onOutput = () =>
        void isRunning(secret).then(found => {
          shown = found
          done.abort()
        })
      const spec = { environment: ['PATH=/bin', ...variables], signal: done.signal, onOutput }
      await assert.rejects(run('echo up; sleep 60', spec))
      assert.equal(shown, false)
    },
  },
]

async function* given(): AsyncGenerator<Uint8Array, void, undefined> {
  yield Buffer.from('one\n')
  yield Buffer.from('two\n')
}

async function withUmask<T>(mask: number, act: () => Promise<T>): Promise<T> {
  const before = process.umask(mask)
  try {
    return await act()
  } finally {
    process.umask(before)
  }
}
