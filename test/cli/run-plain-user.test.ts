import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { devNull } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { bundleChild } from '../helpers/bundle-child.ts'
import { storeBusyboxImage } from '../helpers/busybox-image.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { nodeForAnyone } from '../helpers/node-for-anyone.ts'
import { needsUserWithoutRanges, needsUserWithRanges, type PlainUser } from '../helpers/plain-users.ts'
import { program } from '../helpers/program.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const needed = ['bwrap', 'busybox', 'newuidmap', 'unshare']
const able = [needsRoot(), ...needed.map(needsProgram)].every(Boolean)
const owner = able ? needsUserWithRanges() : undefined
const single = able ? needsUserWithoutRanges() : undefined

let bundle: Awaited<ReturnType<typeof bundleChild>>
let node: ReturnType<typeof nodeForAnyone>
beforeAll(async () => {
  if (!able) return
  bundle = await bundleChild('cli-child.mjs', true)
  node = nodeForAnyone()
  await program('chmod', ['-R', 'a+rX', join(bundle.path, '..')])
})
afterAll(() => {
  bundle?.[Symbol.dispose]()
  node?.[Symbol.dispose]()
})

/** A store of a user with an image that has a shell. */
async function placeOf({ uid, gid }: PlainUser) {
  const directory = temporaryDirectory('run-plain-user')
  chmodSync(directory.path, 0o755)
  const store = join(directory.path, 'store')
  await using opened = await openStore(store, { durability: 'none' })
  await storeBusyboxImage(opened, 'box:1', { config: { Entrypoint: ['/bin/sh', '-c'], Env: ['PATH=/bin'] } })
  await program('chown', ['-R', `${uid}:${gid}`, directory.path])
  const start = (args: readonly string[], user: PlainUser = { uid, gid }) => {
    const env = { PATH: '/usr/bin:/bin', HOME: directory.path, LAYERSTORE_STORE: store, LAYERSTORE_CONFIG: devNull }
    const child = spawn(node.path, [bundle.path, ...args], {
      uid: user.uid,
      gid: user.gid,
      env,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const text = { stdout: '', stderr: '' }
    child.stdout.on('data', chunk => {
      text.stdout += chunk
    })
    child.stderr.on('data', chunk => {
      text.stderr += chunk
    })
    return { child, text, ended: once(child, 'close').then(([code]) => ({ code, ...text })) }
  }
  const layerstore = (...args: string[]) => start(args).ended
  return { ...directory, [Symbol.dispose]: directory[Symbol.dispose], start, layerstore }
}

describe.skipIf(!owner)('containers of a user with ranges of ids', () => {
  test('run, are kept, and become images with the owners of their files', async () => {
    using place = await placeOf(owner!)
    const { layerstore } = place
    const made = await layerstore(
      'run',
      '--keep',
      'work',
      'box:1',
      'id -u; echo x > /x; chown 33:44 /x; rm /etc/group; exit 6',
    )
    expect(made).toEqual({ code: 6, stdout: '0\n', stderr: '' })
    expect(await layerstore('diff', 'work')).toMatchObject({ code: 0, stdout: 'C /etc\nD /etc/group\nA /x\n' })
    expect(await layerstore('commit', '-c', 'CMD ["ls -n /x; id -u"]', 'work', 'box:2')).toMatchObject({ code: 0 })
    expect((await layerstore('run', '-u', 'app', 'box:2')).stdout).toMatch(/ 33 +44 .*\n1000\n$/)
    expect(await layerstore('start', 'work')).toMatchObject({ code: 6, stdout: '0\n' })
    expect(await layerstore('rm', 'work')).toMatchObject({ code: 0 })
    expect(await layerstore('--json', 'containers')).toMatchObject({ stdout: '[]\n' })
    await layerstore('gc', '--max-snapshots', '0')
  })

  test('get signals, are stopped by their ids, and leave nothing if run is killed', async () => {
    using place = await placeOf(owner!)
    const handler = 'trap "echo got it; exit 9" TERM; echo up; while true; do sleep 0.05; done'
    const one = place.start(['run', 'box:1', handler])
    await expect.poll(() => one.text.stdout).toBe('up\n')
    one.child.kill('SIGTERM')
    expect(await one.ended).toMatchObject({ code: 9, stdout: 'up\ngot it\n' })
    const two = place.start(['run', '--name', 'two', 'box:1', handler])
    await expect.poll(() => two.text.stdout).toBe('up\n')
    expect(await place.layerstore('containers', 'stop', 'two')).toMatchObject({ code: 0 })
    expect(await two.ended).toMatchObject({ code: 9 })
    // No other run of the tests has it.
    const seconds = 500_000 + process.pid
    const three = place.start(['run', 'box:1', `echo up; while true; do sleep ${seconds}; done`])
    await expect.poll(() => three.text.stdout).toBe('up\n')
    three.child.kill('SIGKILL')
    await expect.poll(() => program('ps', ['axww', '-o', 'args'])).not.toContain(`\nsleep ${seconds}\n`)
    expect(await place.layerstore('--json', 'containers')).toMatchObject({ stdout: '[]\n' })
  })
})

describe.skipIf(!single)('containers of a user with one id', () => {
  test('run as root of the image', async () => {
    using place = await placeOf(single!)
    expect(await place.layerstore('run', 'box:1', 'id -u; echo x > /x; cat /x')).toMatchObject({
      code: 0,
      stdout: '0\nx\n',
    })
    expect(await place.layerstore('run', '-u', 'app', 'box:1', 'true')).toMatchObject({ code: 125 })
    const refused = await place.layerstore('run', 'box:1', 'chown 5:5 /etc/passwd')
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/one id in the sandbox.*\/etc\/subuid/) })
  })
})

test.skipIf(!owner || !single)('a store of another user is said to be read-only for this one', async () => {
  using place = await placeOf(owner!)
  expect(await place.layerstore('run', 'box:1', 'true')).toMatchObject({ code: 0 })
  const { code, stderr } = await place.start(['run', 'box:1', 'true'], single!).ended
  expect({ code, stderr }).toEqual({
    code: 125,
    stderr: expect.stringMatching(
      /^layerstore: the store is read-only for this user: may not read its containers \(EACCES\), in .*_READ_ONLY\)\n$/,
    ),
  })
  await place.layerstore('gc', '--max-snapshots', '0')
})
