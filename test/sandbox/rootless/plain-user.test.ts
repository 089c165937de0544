import type { ChildProcess } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { TarInput } from '../../../lib/tar/index.ts'
import { bundleChild } from '../../helpers/bundle-child.ts'
import { needsProgram } from '../../helpers/needs-program.ts'
import { needsRoot } from '../../helpers/needs-root.ts'
import { nodeForAnyone } from '../../helpers/node-for-anyone.ts'
import { needsUserWithoutRanges, needsUserWithRanges, type PlainUser } from '../../helpers/plain-users.ts'
import { program } from '../../helpers/program.ts'
import { type RootlessJob, type RootlessOutcome, rootlessPlace, startRootless } from '../../helpers/start-rootless.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

const needed = ['bwrap', 'busybox', 'newuidmap', 'unshare']
const able = [needsRoot(), ...needed.map(needsProgram)].every(Boolean)
const owner = able ? needsUserWithRanges() : undefined
const single = able ? needsUserWithoutRanges() : undefined
const root: PlainUser = { uid: 0, gid: 0 }

let bundle: Awaited<ReturnType<typeof bundleChild>>
let node: ReturnType<typeof nodeForAnyone>
beforeAll(async () => {
  if (!able) return
  bundle = await bundleChild('rootless-child.mjs', true)
  node = nodeForAnyone()
  await program('chmod', ['-R', 'a+rX', join(bundle.path, '..')])
})
afterAll(() => {
  bundle?.[Symbol.dispose]()
  node?.[Symbol.dispose]()
})

let place: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  place = temporaryDirectory('rootless')
  // Another user must be able to enter it.
  chmodSync(place.path, 0o755)
})
afterEach(async () => {
  const left = (await program('ps', ['axww', '-o', 'args'])).split('\n').filter(line => line.includes(place.path))
  place[Symbol.dispose]()
  expect(left).toEqual([])
})

const placeOf = (user: PlainUser) => rootlessPlace(join(place.path, String(user.uid)), user)

function start(user: PlainUser, job: RootlessJob, at = placeOf(user)) {
  return startRootless({ program: bundle.path, node: node.path }, at, user, job)
}

const run = (user: PlainUser, job: RootlessJob): Promise<RootlessOutcome> => start(user, job).ended

const text = (path: string, content: string, more: Partial<TarInput> = {}): TarInput => ({
  path,
  type: 'file',
  content,
  mode: 0o644,
  ...more,
})
/** A layer as packages of a distribution make them: owners, set-id bits, links, a device. */
const packages: readonly TarInput[] = [
  text('etc/shadow', 'root:*', { mode: 0o640, gid: 42 }),
  text('usr/bin/passwd', 'passwd', { mode: 0o4755 }),
  text('usr/bin/chage', 'chage', { mode: 0o2755, gid: 42 }),
  text('var/mail/app', 'mail', { uid: 1000, gid: 8, mode: 0o660 }),
  { path: 'var/mail/other', type: 'hardlink', linkname: 'var/mail/app', uid: 1000, gid: 8, mode: 0o660 },
  text('old/a', 'a'),
  text('old/b', 'b', { uid: 65_534, gid: 65_534 }),
  text('moved/c', 'c', { uid: 33, gid: 33 }),
  { path: 'nodes', type: 'directory', mode: 0o755 },
  { path: 'nodes/null', type: 'character-device', devMajor: 1, devMinor: 3, mode: 0o666 },
  { path: 'home/app', type: 'directory', mode: 0o700, uid: 1000, gid: 1001 },
]
const removals: readonly TarInput[] = [text('old/.wh.a', ''), text('etc/motd', 'hello', { uid: 7 })]

/** What packages do when they are installed, and what a step with a user does. */
const steps = `FROM base:1
RUN mkdir -p /var/lib/apt/partial && chown 42:65534 /var/lib/apt/partial && chmod 2750 /var/lib/apt/partial
RUN cat /etc/passwd > /usr/bin/tool && chown 0:42 /usr/bin/tool && chmod 2755 /usr/bin/tool && busybox ln /usr/bin/tool /usr/bin/again
RUN chown 1000:1001 /etc/motd && chmod 4755 /usr/bin/passwd && rm /var/mail/other
RUN rm -r /old && mkdir /old && busybox touch /old/new && busybox mkfifo /old/pipe && busybox ln -s ../etc /old/link
RUN busybox mv /moved /put && busybox touch /nodes/file && busybox setpriv --help 2>/dev/null; true
USER app
RUN id; busybox touch /home/app/mine && mkdir /home/app/dir
USER 33:50
RUN id; busybox touch /tmp/x 2>/dev/null || echo refused
WORKDIR /home/app/work
`

describe.skipIf(!owner)('a plain user with ranges of ids', () => {
  const user = owner as PlainUser

  test('builds the same image as root, to the last bit', async () => {
    const job = { dockerfile: steps, layers: [packages, removals] }
    const [asRoot, asUser] = [await run(root, job), await run(user, { ...job, collect: true, remove: true })]
    expect(asUser.error).toBeUndefined()
    expect(asUser.works).toBe(true)
    expect(asUser.output).toContain('uid=1000(app) gid=1001(web) groups=50(logs)')
    expect(asUser.entries).toEqual(asRoot.entries)
    expect(asUser.entries).toContain('var/lib/apt/partial directory 2750 42:65534')
    expect(asUser.entries).toContain('usr/bin/passwd file 4755 0:0')
    expect(asUser.entries).toContain('put/c file 644 33:33')
    expect(asUser.entries).not.toContain(expect.stringContaining('.wh.null'))
    expect({ digest: asUser.digest, output: asUser.output }).toEqual({ digest: asRoot.digest, output: asRoot.output })
    // The base has three layers, and every RUN but the last adds one below another.
    expect(asUser).toMatchObject({ dropped: expect.any(Number), kept: 0 })
    expect(asUser.dropped).toBeGreaterThanOrEqual(9)
    expect(readdirSync(join(place.path, String(user.uid)))).not.toContain('store-snapshots')
  })

  test('runs steps whose processes see no variable of the caller', async () => {
    const dockerfile = 'FROM base:1\nRUN cat /proc/self/environ; for p in /proc/[0-9]*; do cat $p/environ; done'
    const { child, printed, ended } = start(user, { dockerfile: `${dockerfile}; echo up; sleep 30` })
    await printed('up')
    const pids = await treeOf(child)
    const environments = pids.filter(pid => pid !== child.pid).map(pid => readFileSync(`/proc/${pid}/environ`, 'utf8'))
    expect(environments.length).toBeGreaterThan(2)
    expect(environments.filter(text => text.includes('hidden-token'))).toEqual([])
    child.kill('SIGINT')
    const { error, output } = await ended
    expect(error).toMatchObject({ message: 'interrupted' })
    expect(output).not.toContain('hidden-token')
    await expect.poll(() => livingOf(pids)).toEqual([])
    expect(stacksOf(user)).toEqual([])
  })

  test('leaves no process, mount or stack when the builder is killed', async () => {
    const { child, printed } = start(user, { dockerfile: 'FROM base:1\nRUN chown 5:5 /etc; echo up; sleep 30' })
    await printed('up')
    const pids = await treeOf(child)
    child.kill('SIGKILL')
    await expect.poll(() => livingOf(pids)).toEqual([])
    expect(stacksOf(user)).toEqual([])
  })

  test('removes the files of other ids that processes have left that were all killed at once', async () => {
    const killed = start(user, {
      dockerfile: 'FROM base:1\nRUN mkdir -m 700 /private && chown 5:5 /private; echo up; sleep 30',
    })
    await killed.printed('up')
    expect(stacksOf(user)).toHaveLength(1)
    // Stopped first, so that none of them can clean up after another.
    const pids = await treeOf(killed.child)
    for (const pid of pids) process.kill(pid, 'SIGSTOP')
    for (const pid of pids) killIfAlive(pid)
    await expect.poll(() => livingOf(pids)).toEqual([])
    expect(stacksOf(user)).toHaveLength(1)
    const next = await run(user, { dockerfile: 'FROM base:1\nRUN echo next' })
    expect(next).toMatchObject({ output: 'next\n' })
    expect(stacksOf(user)).toEqual([])
  })

  test('gives secrets, caches and contexts to the user of a step', async () => {
    const dockerfile = `FROM base:1
USER app
RUN --mount=type=secret,id=key,uid=1000,mode=0400 --mount=type=cache,target=/cache,uid=1000,gid=1001,mode=0700 \\
  --mount=type=ssh,uid=1000 --mount=type=bind,target=/context cat /run/secrets/key /context/a.txt && echo x > /cache/x && ls -lnd /cache && ls -ln /run/secrets/key $SSH_AUTH_SOCK`
    const cacheMounts = join(placeOf(user).path, 'caches')
    const options = { secrets: { key: 's3cret\n' }, sshAgents: { default: '/none' }, cacheMounts }
    const outcome = await run(user, { dockerfile, options, files: { 'a.txt': 'context\n' } })
    expect(outcome.error).toBeUndefined()
    expect(outcome.output).toMatch(
      /^s3cret\ncontext\ndrwx------ .* 1000 +1001 .*\nsrw------- .* 1000 +0 .*\n-r-------- .* 1000 +0 /,
    )
    expect(outcome.entries?.filter(entry => /secret|cache|context/.test(entry))).toEqual([])
  })

  test('is told what a limit means when a command fails under it', async () => {
    const dockerfile = 'FROM base:1\nRUN x=x; while true; do x=$x$x; done'
    const { error } = await run(user, { dockerfile, options: { limits: { memory: 2 ** 25, seconds: 20 } } })
    expect(error).toMatchObject({ code: 'ERR_BUILD_RUN', message: expect.stringContaining('that of each process') })
  })

  test.runIf(needsProgram('runc'))('is told which executors limit memory without control groups', async () => {
    const job = { dockerfile: 'FROM base:1\nRUN true', executor: 'runc', options: { limits: { memory: 2 ** 25 } } }
    const { error } = await run(user, job as RootlessJob)
    expect(error?.message).toMatch(/runc has no control group.*use bubblewrap or chroot.*ERR_SANDBOX_LIMIT/)
  })

  test.runIf(needsProgram('runc'))('is told that runc needs control groups, if none are mounted', async () => {
    const become = `exec setpriv --reuid ${user.uid} --regid ${user.gid} --clear-groups "$@"`
    const script = `umount --recursive --lazy /sys/fs/cgroup && ${become}`
    const before = ['/usr/bin/unshare', '--mount', '/bin/sh', '-c', script, 'sh']
    const job = { dockerfile: 'FROM base:1\nRUN true', executor: 'runc' } as const
    const { error } = await startRootless({ program: bundle.path, node: node.path, before }, placeOf(user), root, job)
      .ended
    expect(error).toMatchObject({ code: 'ERR_BUILD_NO_EXECUTOR', message: expect.stringMatching(/none are mounted/) })
  })

  test('is told in the error of a build which program is missing', async () => {
    // A namespace in which no other can be created, as some administrators forbid them.
    const before = ['/usr/bin/bwrap', '--dev-bind', '/', '/', '--unshare-user', '--disable-userns']
    const at = placeOf(user)
    const job = { dockerfile: 'FROM base:1\nRUN true' }
    const { error } = await startRootless({ program: bundle.path, node: node.path, before }, at, user, job).ended
    expect(error).toMatchObject({ code: 'ERR_BUILD_NO_EXECUTOR', message: expect.stringMatching(/user_namespaces/) })
  })
})

describe.skipIf(!single)('a plain user without ranges of ids', () => {
  const user = single as PlainUser

  test('runs steps as root, and what they change keeps the owners of the layers below', async () => {
    const dockerfile = `FROM base:1
RUN id && echo more >> /etc/motd && rm /old/b && busybox touch /old/new /nodes/file && chmod 600 /etc/shadow`
    const outcome = await run(user, { dockerfile, layers: [packages, removals] })
    expect(outcome).toMatchObject({ works: true, note: expect.stringContaining('/etc/subuid') })
    expect(outcome.output).toContain('uid=0(root) gid=0(root)')
    expect(outcome.entries?.filter(entry => !entry.includes(' directory '))).toEqual([
      'old/.wh.b file 644 0:0',
      'etc/motd file 644 7:0',
      'etc/shadow file 600 0:42',
      'nodes/file file 644 0:0',
      'old/new file 644 0:0',
    ])
  })

  test.each([
    ['runc', 'runc'],
    ['chroot', 'unshare'],
  ] as const)('runs steps with %s too', async (executor, program) => {
    if (!needsProgram(program)) return
    const { works, output, error } = await run(user, {
      executor,
      dockerfile:
        'FROM base:1\nRUN id -u && cat /proc/self/uid_map && echo x > /dev/null && ls /dev/pts /sys/fs/cgroup',
    })
    expect(error).toBeUndefined()
    expect({ works, output }).toEqual({
      works: true,
      output: expect.stringMatching(/^0\n +0 +\d+ +1\n\/dev\/pts:\nptmx\n\n\/sys\/fs\/cgroup:\n$/),
    })
  })

  test('is told how to get ids when a step needs them', async () => {
    const chown = await run(user, { dockerfile: 'FROM base:1\nRUN chown 5:5 /etc/passwd' })
    expect(chown.error).toMatchObject({
      code: 'ERR_BUILD_RUN',
      message: expect.stringMatching(/\/etc\/subuid/),
    })
    const other = await run(user, { dockerfile: 'FROM base:1\nUSER app\nRUN id' })
    expect(other.error).toMatchObject({
      code: 'ERR_BUILD_STEP',
      message: expect.stringMatching(/user 1000:1001.*\/etc\/subuid.*ERR_SANDBOX_ONE_ID/),
    })
  })
})

/** Numbers of a process and of all that it has started. */
async function treeOf({ pid }: ChildProcess): Promise<number[]> {
  const found = [pid as number]
  const listed = await processes()
  for (const above of found) found.push(...listed.filter(([, parent]) => parent === above).map(([own]) => own))
  return found
}

/** Those of some processes that have not ended. */
async function livingOf(pids: readonly number[]): Promise<number[]> {
  return (await processes()).map(([pid]) => pid).filter(pid => pids.includes(pid))
}

async function processes(): Promise<[pid: number, parent: number][]> {
  const lines = (await program('ps', ['axo', 'pid,ppid,stat'])).trim().split('\n')
  const fields = lines.map(line => line.trim().split(/\s+/)).filter(([, , state]) => !state?.startsWith('Z'))
  return fields.map(([pid, parent]) => [Number(pid), Number(parent)])
}

function stacksOf(user: PlainUser): string[] {
  return readdirSync(placeOf(user).snapshots, { recursive: true, encoding: 'utf8' }).filter(path =>
    /stacks\/[^/]+$/.test(path),
  )
}

/** The first process of a namespace takes the others with it when it is killed. */
function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
