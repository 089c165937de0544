import { strict as assert } from 'node:assert'
import { lstat, mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { failsWith } from '../store-conformance/subject.ts'
import { APP, type ExecutorCase, ROOT } from './executor-subject.ts'

const TOP = ['bin', 'etc', 'home', 'root', 'tmp']

/** Cases for what a process sees. SPEC: what a RUN of BuildKit sees. */
export const viewCases: readonly ExecutorCase[] = [
  {
    name: 'a process cannot make namespaces, unless all system calls are allowed',
    async run({ run }) {
      const script = 'grep "^Seccomp:" /proc/self/status; busybox unshare -U true && echo made'
      for (const user of [ROOT, APP]) {
        assert.equal((await run(script, { user })).stdout, 'Seccomp:\t2\n')
        assert.match((await run(script, { user, systemCalls: 'all' })).stdout, /^Seccomp:\t0\n/)
      }
    },
  },
  {
    name: 'a process sees its root filesystem, and the mounts of the kernel',
    async run({ run }) {
      for (const user of [ROOT, APP]) {
        const { stdout } = await run('ls /', { user })
        assert.deepEqual(stdout.trim().split('\n').sort(), [...TOP, 'dev', 'proc', 'sys'].sort())
      }
    },
  },
  {
    name: 'a process sees the usual devices, and no others',
    async run({ run }) {
      const usual = ['full', 'mqueue', 'null', 'ptmx', 'pts', 'random', 'shm', 'stderr', 'stdin', 'stdout', 'zero']
      for (const user of [ROOT, APP]) {
        const names = (await run('ls /dev', { user })).stdout.trim().split('\n')
        const known = [...usual, 'fd', 'tty', 'urandom', 'core', 'console']
        assert.deepEqual(
          usual.filter(name => !names.includes(name)),
          [],
        )
        assert.deepEqual(
          names.filter(name => !known.includes(name)),
          [],
        )
        const script = 'echo x >/dev/shm/x && echo x >/dev/null && head -c3 /dev/zero | wc -c; cat /dev/fd/0'
        assert.equal((await run(script, { user })).stdout, '3\n')
      }
    },
  },
  {
    name: 'a process sees the host name and hosts of a build, or those that it is given',
    async run({ run }) {
      const script = 'cat /proc/sys/kernel/hostname /etc/hosts'
      const usual = await run(script)
      assert.match(usual.stdout, /^buildkitsandbox\n127\.0\.0\.1\tlocalhost buildkitsandbox\n::1\t/)
      const given = { hostname: 'box', extraHosts: [{ name: 'db', address: '10.0.0.7' }] }
      assert.match((await run(script, given)).stdout, /^box\n127\.0\.0\.1\tlocalhost box\n::1\t.*\n10\.0\.0\.7\tdb\n$/)
      const refused = await run('echo x >>/etc/hosts || echo x >>/etc/resolv.conf || echo read-only')
      assert.equal(refused.stdout, 'read-only\n')
    },
  },
  {
    name: 'a process without network sees the loopback device only, and can use it',
    async run({ run }) {
      const { stdout } = await run('sed 1,2d /proc/net/dev', { network: 'none' })
      assert.match(stdout, /^ *lo:[^\n]*\n$/)
      const { stdout: route } = await run('cat /proc/net/fib_trie', { network: 'none' })
      assert.match(route, /127\.0\.0\.1/)
    },
  },
  {
    name: "root has Docker's capabilities, or those that it is given, and other users have none",
    async run({ run }) {
      const script = 'sed -n "s/CapEff:.//p" /proc/self/status'
      assert.equal((await run(script)).stdout, '00000000a80425fb\n')
      assert.equal((await run(script, { user: APP })).stdout, '0000000000000000\n')
      const capabilities = ['CAP_SETGID', 'CAP_SETUID', 'CAP_SYS_CHROOT']
      assert.equal((await run(script, { capabilities })).stdout, '00000000000400c0\n')
    },
  },
  {
    name: 'a set-id program gains privileges',
    async run({ run }) {
      assert.equal((await run('grep NoNewPrivs /proc/self/status', { user: APP })).stdout, 'NoNewPrivs:\t0\n')
    },
  },
  {
    name: 'a process can use no device that it makes',
    async run({ run }) {
      const script = 'mknod /disk b 254 0 && head -c1 /disk >/dev/null || echo refused; rm -f /disk'
      assert.equal((await run(script)).stdout, 'refused\n')
    },
  },
  {
    name: 'a process can change nothing of the kernel, and mount nothing',
    async run({ run }) {
      const script = [
        'for file in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /proc/sys/vm/drop_caches /sys/kernel/mm/x; do',
        'if [ -e $file ]; then echo 0 >$file && echo wrote $file; fi; done',
        'head -c1 /proc/kcore; cat /proc/keys /proc/timer_list',
        'mount -t tmpfs x /tmp && echo mounted; umount /proc && echo unmounted; touch /sys/x && echo wrote',
        'echo done',
      ].join('\n')
      assert.equal((await run(script)).stdout, 'done\n')
    },
  },
  {
    name: 'a process cannot change a read-only root, but mounts that may be written to',
    async run({ directory, run }) {
      const source = join(directory, 'data')
      await mkdir(source)
      const mounts = [{ type: 'bind', source, target: '/data', readOnly: false } as const]
      for (const user of [ROOT, { ...ROOT, groups: [50] }]) {
        const script = 'echo x >/data/x && echo wrote; echo x >/x || echo refused; echo x >/dev/null'
        assert.equal((await run(script, { readOnlyRoot: true, mounts, user })).stdout, 'wrote\nrefused\n')
      }
      assert.equal(await readFile(join(source, 'x'), 'utf8'), 'x\n')
    },
  },
  {
    name: 'a process sees files, directories and new filesystems as mounts, some read-only',
    async run({ directory, inRoot, run }) {
      const at = (name: string) => join(directory, name)
      await mkdir(at('a b'))
      await writeFile(at('a b/one'), '1')
      await writeFile(at('file'), 'f')
      const mounts = [
        { type: 'bind', source: at('a b'), target: '/m n', readOnly: true },
        { type: 'bind', source: at('file'), target: '/deep/file', readOnly: false },
        { type: 'tmpfs', target: '/deep/new', size: 65_536 },
      ] as const
      const script = [
        'cat "/m n/one" /deep/file; echo x >"/m n/two" || echo refused',
        'echo g >/deep/file; head -c 100000 /dev/zero >/deep/new/x || echo full; echo kept >/deep/kept',
      ].join('\n')
      for (const user of [ROOT, { ...ROOT, groups: [50] }]) {
        await writeFile(at('file'), 'f')
        assert.equal((await run(script, { mounts, user })).stdout, '1frefused\nfull\n')
        assert.equal(await readFile(at('file'), 'utf8'), 'g\n')
        assert.deepEqual(await readdir(inRoot('deep')), ['kept'])
        await rm(inRoot('deep'), { recursive: true })
      }
    },
  },
  {
    name: 'a process sees mounts below other mounts, and nothing of them is left',
    async run({ directory, run }) {
      for (const path of ['data/there', 'more']) await mkdir(join(directory, path), { recursive: true })
      await writeFile(join(directory, 'file'), 'f')
      const [data, more, file] = ['data', 'more', 'file'].map(name => join(directory, name)) as [string, string, string]
      const mounts = [
        { type: 'bind', source: data, target: '/data', readOnly: false },
        { type: 'bind', source: more, target: '/data/there', readOnly: false },
        { type: 'tmpfs', target: '/data/made/deep' },
        { type: 'bind', source: file, target: '/data/made/deep/new/file', readOnly: true },
        { type: 'bind', source: file, target: '/dev/pipes/file', readOnly: true },
      ] as const
      const script = 'cat /data/made/deep/new/file /dev/pipes/file; echo x >/data/there/x; echo y >/data/made/deep/y'
      for (const user of [ROOT, { ...ROOT, groups: [50] }]) {
        assert.deepEqual(await run(script, { mounts, user }), { code: 0, stdout: 'ff', stderr: '' })
        assert.deepEqual(await readdir(data, { recursive: true }), ['there'])
        assert.equal(await readFile(join(more, 'x'), 'utf8'), 'x\n')
      }
      const inner = { type: 'tmpfs', target: '/data/missing' } as const
      const outer = { type: 'bind', source: data, target: '/data', readOnly: true } as const
      await failsWith('ERR_SANDBOX_MOUNT', () => run('true', { mounts: [outer, inner] }))
    },
  },
  {
    name: 'a process leaves no mount point, and the times of directories as they were',
    async run({ directory, inRoot, run }) {
      const then = new Date('2020-02-02T02:02:02Z')
      await writeFile(join(directory, 'secret'), 'x')
      for (const path of ['etc', '']) await utimes(inRoot(path), then, then)
      const source = join(directory, 'secret')
      const mounts = [{ type: 'bind', source, target: '/run/secrets/key', readOnly: true } as const]
      assert.equal((await run('cat /run/secrets/key', { mounts })).stdout, 'x')
      assert.deepEqual((await readdir(inRoot(''))).sort(), TOP)
      assert.deepEqual((await readdir(inRoot('etc'))).sort(), ['group', 'passwd'])
      for (const path of ['etc', '']) assert.deepEqual((await lstat(inRoot(path))).mtime, then)
      assert.deepEqual((await readdir(directory)).sort(), ['root', 'secret'])
    },
  },
  {
    name: 'mounts behind links of the root filesystem never lead out of it',
    async run({ directory, inRoot, run }) {
      await mkdir(join(directory, 'victim'))
      await symlink('/../../victim', inRoot('run'))
      await symlink('/run/resolv.conf', inRoot('etc/resolv.conf'))
      const { stdout, code } = await run('ls /victim')
      assert.deepEqual({ stdout, code }, { stdout: 'resolv.conf\n', code: 0 })
      assert.deepEqual(await readdir(join(directory, 'victim')), [])
      await rm(inRoot('run'))
      await rm(inRoot('etc/resolv.conf'))
      await symlink('hosts', inRoot('etc/resolv.conf'))
      await symlink('resolv.conf', inRoot('etc/hosts'))
      await failsWith('ERR_SANDBOX_MOUNT', () => run('true'))
    },
  },
  {
    name: 'an image in which /dev, /proc or /sys is a link is refused, and nothing is written where it leads',
    async run({ directory, inRoot, run }) {
      const victim = join(directory, 'victim')
      for (const point of ['dev', 'proc', 'sys']) {
        await mkdir(victim)
        await mkdir(inRoot('victim'), { recursive: true })
        await symlink('../victim', inRoot(point))
        await failsWith('ERR_SANDBOX_MOUNT', () => run('true'))
        assert.deepEqual(await readdir(victim), [])
        await rm(inRoot(point))
        await rm(victim, { recursive: true })
      }
    },
  },
  {
    name: 'a mount at the root, or a mount point of another kind, is refused',
    async run({ inRoot, run }) {
      await failsWith('ERR_SANDBOX_MOUNT', () => run('true', { mounts: [{ type: 'tmpfs', target: '/' }] }))
      await writeFile(inRoot('proc'), '')
      await failsWith('ERR_SANDBOX_MOUNT', () => run('true'))
      assert.equal(await readFile(inRoot('proc'), 'utf8'), '')
    },
  },
]
