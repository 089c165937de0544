import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../../lib/disk-store/index.ts'
import { createOwnerOf } from '../../../lib/internal/locks/owner.ts'
import { ContainerHome } from '../../../lib/sandbox/containers/home/container-home.ts'
import {
  commitContainer,
  createContainer,
  listContainers,
  openContainer,
  type RunImageOptions,
  removeContainer,
  runImage,
  stopContainer,
} from '../../../lib/sandbox/index.ts'
import { createMemoryStore, type Store } from '../../../lib/store/index.ts'
import { storeBusyboxImage } from '../../helpers/busybox-image.ts'
import { needsProgram } from '../../helpers/needs-program.ts'
import { needsRoot } from '../../helpers/needs-root.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'

const able = [needsRoot(), needsProgram('bwrap'), needsProgram('busybox')].every(Boolean)

let directory: ReturnType<typeof temporaryDirectory>
let store: Store
const kept = () => join(directory.path, '.layerstore/containers')

describe.skipIf(!able)('a container', () => {
  beforeEach(async () => {
    directory = temporaryDirectory('containers')
    store = await openStore(directory.path, { durability: 'none' })
    await storeBusyboxImage(store, 'box:1', { config: { Cmd: ['/bin/sh'], Env: ['PATH=/bin'] } })
  })
  afterEach(async () => {
    await store.close()
    expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(directory.path)
    directory[Symbol.dispose]()
  })

  async function run(script: string, options: RunImageOptions = {}) {
    let output = ''
    const onOutput = (chunk: Uint8Array) => {
      output += Buffer.from(chunk).toString()
    }
    const exit = await runImage(store, 'box:1', { command: ['sh', '-c', script], onOutput, ...options })
    return { ...exit, output }
  }

  test('runs a command, gives its exit code, and leaves nothing', async () => {
    const before = await store.references.get('box:1')
    expect(await run('echo hello; echo x > /written; exit 7')).toMatchObject({ code: 7, output: 'hello\n' })
    expect(await run('ls /')).toMatchObject({ code: 0, output: 'bin\ndev\netc\nproc\nsys\n' })
    expect(readdirSync(kept())).toEqual([])
    expect(await store.references.get('box:1')).toEqual(before)
  })

  test('sees nothing of another one of the same image that runs at the same time', async () => {
    const started: (() => void)[] = []
    const both = ['one', 'two'].map(async name => {
      let output = ''
      const onOutput = (chunk: Uint8Array) => {
        output += Buffer.from(chunk).toString()
        started.pop()?.()
      }
      const script = `echo ${name} > /file; hostname=$(cat /proc/sys/kernel/hostname); sleep 0.5; cat /file; ls /; echo $hostname`
      const { id } = await runImage(store, 'box:1', { command: ['sh', '-c', script], onOutput })
      return output.replace(id, 'ID')
    })
    expect(await Promise.all(both)).toEqual([
      'one\nbin\ndev\netc\nfile\nproc\nsys\nID\n',
      'two\nbin\ndev\netc\nfile\nproc\nsys\nID\n',
    ])
  })

  test('that is kept goes on from what it wrote, and lists it', async () => {
    const container = await createContainer(store, 'box:1', {
      id: 'work',
      command: ['sh', '-c', 'cat /log 2>/dev/null; echo line >> /log; rm -f /etc/group; exit 3'],
      workdir: '/made/here',
    })
    expect(await container.info()).toMatchObject({ id: 'work', image: 'box:1', state: 'created', keep: true })
    expect((await container.start()).code).toBe(3)
    let output = ''
    const again = await openContainer(store, 'wo')
    const onOutput = (chunk: Uint8Array) => {
      output += Buffer.from(chunk).toString()
    }
    await again.start({ onOutput })
    expect(output).toBe('line\n')
    expect((await again.changes()).map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      'changed /etc',
      'deleted /etc/group',
      'added /log',
      'added /made',
      'added /made/here',
    ])
    expect(await listContainers(store)).toMatchObject([{ id: 'work', state: 'exited', exitCode: 3 }])
    expect(await thrownBy(() => createContainer(store, 'box:1', { id: 'work' }))).toMatchObject({
      code: 'ERR_CONTAINER_EXISTS',
    })
    await removeContainer(store, 'work')
    expect(await listContainers(store)).toEqual([])
    expect(await thrownBy(() => again.start())).toMatchObject({ code: 'ERR_CONTAINER_NOT_FOUND' })
    expect(readdirSync(kept())).toEqual([])
  })

  test('becomes an image whose history says how, and which runs', async () => {
    await (await createContainer(store, 'box:1', { id: 'c', command: ['sh', '-c', 'echo x > /x'] })).start()
    const image = await commitContainer(store, 'c', {
      name: 'box:2',
      message: 'm',
      author: 'a',
      changes: ['CMD cat /x'],
    })
    expect(image.config.history?.at(-1)).toEqual({
      created: image.config.created,
      created_by: 'sh -c echo x > /x',
      author: 'a',
      comment: 'm',
    })
    expect(image.layers).toHaveLength(2)
    let output = ''
    await runImage(store, 'box:2', { onOutput: chunk => (output += Buffer.from(chunk).toString()) })
    expect(output).toBe('x\n')
    // Nothing was written: no layer.
    await createContainer(store, 'box:2', { id: 'd' })
    const same = await commitContainer(store, 'd')
    expect(same.layers).toEqual(image.layers)
    expect(same.config.history?.at(-1)).toMatchObject({ empty_layer: true })
    expect(await thrownBy(() => commitContainer(store, 'c', { changes: ['RUN x'] }))).toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    })
    for (const id of ['c', 'd']) await removeContainer(store, id)
  })

  test('that runs is listed with its process, is changed by no one else, and can be stopped', async () => {
    let begun = () => {}
    const up = new Promise<void>(resolve => {
      begun = resolve
    })
    const script = 'trap "echo bye > /bye; exit 5" TERM; echo x > /x; echo up; while true; do sleep 0.05; done'
    const running = run(script, { id: 'r', keep: true, onOutput: () => begun() })
    await up
    await expect.poll(async () => (await listContainers(store))[0]?.pid).toBeGreaterThan(1)
    const [info] = await listContainers(store)
    expect(info).toMatchObject({ id: 'r', state: 'running' })
    expect(readFileSync(`/proc/${info?.pid}/cmdline`, 'utf8')).toContain('trap')
    const container = await openContainer(store, 'r')
    expect(await thrownBy(() => container.start())).toMatchObject({ code: 'ERR_CONTAINER_RUNNING' })
    expect(await thrownBy(() => removeContainer(store, 'r'))).toMatchObject({ code: 'ERR_CONTAINER_RUNNING' })
    expect((await container.changes()).map(({ path }) => path)).toContain('/x')
    await stopContainer(store, 'r')
    expect(await running).toMatchObject({ code: 5, id: 'r' })
    expect((await container.changes()).map(({ path }) => path)).toContain('/bye')
    const endless = run('echo up; while true; do sleep 1; done', { id: 'endless' })
    await expect.poll(async () => (await listContainers(store)).map(({ id }) => id)).toContain('endless')
    await removeContainer(store, 'endless', { force: true })
    expect((await endless).code).toBe(137)
    await removeContainer(store, 'r')
    expect(readdirSync(kept())).toEqual([])
  })

  test('whose run was killed has no process that a stop could hit', async () => {
    const container = await createContainer(store, 'box:1', { id: 'k', command: ['sh', '-c', 'exit 0'] })
    const bystander = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    await once(bystander, 'spawn')
    const home = new ContainerHome(store, {})
    // The number has become that of another process.
    const owner = { ...(await createOwnerOf(bystander.pid!)), start: '1' }
    await home.write({ ...(await home.record('k')), state: 'running', started: 'then', owner })
    const lock = await home.claim('k')
    await stopContainer(store, 'k', { timeoutMs: 100, signal: AbortSignal.timeout(500) }).catch(() => undefined)
    await lock.release()
    expect([bystander.exitCode, bystander.signalCode]).toEqual([null, null])
    bystander.kill('SIGKILL')
    await once(bystander, 'close')
    expect((await container.start()).code).toBe(0)
    expect(await home.record('k')).not.toHaveProperty('owner')
  })

  test('has the user that it made itself', async () => {
    const add = 'echo "me:x:77:88::/home/me:/bin/sh" >> /etc/passwd'
    const container = await createContainer(store, 'box:1', { id: 'u', command: ['sh', '-c', `${add}; id -u`] })
    await container.start()
    await commitContainer(store, 'u', { name: 'box:3' })
    expect((await run('id -u; id -g; echo $HOME', { user: 'me' }).catch(error => error)).code).toBe(
      'ERR_BUILD_UNKNOWN_ACCOUNT',
    )
    let output = ''
    await runImage(store, 'box:3', {
      user: 'me',
      command: ['sh', '-c', 'id -u; id -g; echo $HOME'],
      onOutput: chunk => (output += Buffer.from(chunk).toString()),
    })
    expect(output).toBe('77\n88\n/home/me\n')
    await removeContainer(store, 'u')
  })

  test('is refused without a command, with a bad id, and of a store without a directory', async () => {
    await storeBusyboxImage(store, 'none:1')
    expect(await thrownBy(() => runImage(store, 'none:1'))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    for (const id of ['', '.', '../x', 'a/b']) {
      expect(await thrownBy(() => createContainer(store, 'box:1', { id }))).toMatchObject({
        code: 'ERR_INVALID_ARGUMENT',
      })
    }
    expect(await thrownBy(() => listContainers(createMemoryStore()))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    expect(existsSync(kept()) ? readdirSync(kept()) : []).toEqual([])
  })
})
