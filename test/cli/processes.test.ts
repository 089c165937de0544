import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { ingestDirectory } from '../../lib/disk-store/ingest/open-ingest.ts'
import { readStoreUsage } from '../../lib/maintenance/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { createFaultyRegistry } from '../../lib/testing/index.ts'
import { mixedBytes } from '../helpers/mixed-bytes.ts'
import { needs } from '../helpers/needs.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { type CliProcesses, cliProcesses, type StartedCli } from '../helpers/start-cli.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
let processes: CliProcesses
let remote: Store

beforeAll(async () => {
  directory = temporaryDirectory('cli-processes')
  const store = join(directory.path, 'store')
  processes = cliProcesses(directory.path, store)
  remote = createMemoryStore()
  await sampleImage(remote, [{ big: mixedBytes(8_000_000) }], { name: 'app:1' })
  await using opened = await openStore(store, { durability: 'none' })
  await sampleImage(opened, [{ big: mixedBytes(1_000_000) }], { name: 'app:1' })
})
afterAll(() => directory[Symbol.dispose]())

describe('a command whose stdout ends before its output', () => {
  test('ends with an error exit and one line, without a stack, when the reader of the pipe leaves', async () => {
    const { child, text, ended } = processes.start(['save', 'app:1'])
    child.stdout.once('data', () => child.stdout.destroy())
    expect(await ended).toBe(1)
    expect(text.stderr).toBe('layerstore: stdout was closed before everything was written (ERR_OUTPUT)\n')
  })

  test.runIf(needs(existsSync('/dev/full'), 'this system has no /dev/full') && needsProgram('sh'))(
    'says so when the disk behind stdout is full',
    async () => {
      const command = processes.command.map(word => `"${word}"`).join(' ')
      const store = join(directory.path, 'store')
      const env = { ...process.env, LAYERSTORE_STORE: store }
      const run = promisify(execFile)('sh', ['-c', `${command} manifest app:1 > /dev/full`], { env })
      const { code, stderr } = await run.then(
        () => ({ code: 0, stderr: '' }),
        error => error,
      )
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: 'layerstore: cannot write to stdout (ENOSPC) (ERR_OUTPUT)\n',
      })
    },
  )
})

describe('a pull that is stopped', () => {
  const KEPT = /layerstore: stopped; [\d.]+[kM]B are kept, run the same command again to continue \(ERR_ABORTED\)\r?\n$/

  /** Starts a pull from a slow registry, stops it when a part of the layer has arrived, and continues it. */
  async function stopped(name: string, stop: (pull: StartedCli) => void, options: { tty?: boolean } = {}) {
    await using registry = await createFaultyRegistry({ store: remote })
    registry.misbehave({ kind: 'slow', bytesPerSecond: 1_500_000 }, { method: 'GET', path: /blobs/, times: 2 })
    const store = join(directory.path, name)
    const pull = processes.start(['pull', `${registry.host}/app:1`, '--store', store], options)
    await expect.poll(() => kept(store)).toBeGreaterThan(200_000)
    stop(pull)
    const code = await pull.ended
    registry.behave()
    const again = await cli(['pull', `${registry.host}/app:1`, '--json'], { store })
    return { code, text: pull.text, again: JSON.parse(again.stdout) }
  }
  const kept = async (path: string) => {
    if (!existsSync(join(path, 'oci-layout'))) return 0
    await using store = await openStore(path, { readOnly: true })
    const { unfinished } = await readStoreUsage(store)
    return unfinished.bytes
  }

  test('in a pipe says how much is kept, with exit code 130, and the next pull fetches only the rest', async () => {
    const { code, text, again } = await stopped('piped', ({ child }) => child.kill('SIGINT'))
    expect(code).toBe(130)
    expect(text.stdout).toBe('')
    expect(text.stderr).toMatch(KEPT)
    expect(again.bytesSaved).toBeGreaterThan(200_000)
  })

  test('by SIGTERM ends with exit code 143', async () => {
    const { code, text } = await stopped('terminated', ({ child }) => child.kill('SIGTERM'))
    expect(code).toBe(143)
    expect(text.stderr).toMatch(KEPT)
  })

  test.runIf(needsProgram('script'))('by Ctrl-C on a terminal erases its bars and leaves one clean line', async () => {
    const { code, text } = await stopped('terminal', ({ child }) => child.stdin.write('\x03'), { tty: true })
    expect(code).toBe(130)
    expect(text.stdout).toMatch(/\[=* *\] /)
    // After the last erasure of the bars there is one line, and it begins in the first column.
    const last = text.stdout.slice(text.stdout.lastIndexOf('\u001b[0J') + '\u001b[0J'.length)
    expect(last).toMatch(new RegExp(`^${KEPT.source}`))
  })
})

test('a pull that waits for a blob of another pull says so, and at the end how much came through that one', async () => {
  const remote = createMemoryStore()
  const { layers } = await sampleImage(remote, [{ big: mixedBytes(2_500_000) }], { name: 'app:1' })
  let open = () => {}
  const gate = new Promise<void>(resolve => {
    open = resolve
  })
  await using server = await serveStore(gated(remote, layers[0]!.descriptor.digest, gate))
  using place = temporaryDirectory('cli-waiting-pull')
  const args = ['pull', `${server.host}/app:1`, '--store', place.path]
  const first = processes.start(args)
  const owner = join(
    place.path,
    '.layerstore/ingests',
    await ingestDirectory(layers[0]!.descriptor.digest),
    'owner.json',
  )
  await expect.poll(() => existsSync(owner)).toBe(true)
  const second = await cli(args, { onStderr: text => void (text.includes('waiting for a blob') && open()) })
  expect(await first.ended).toBe(0)
  expect(second.code).toBe(0)
  const holder = `process ${first.child.pid} on [^ ]+ since [^ ]+`
  expect(second.stderr).toMatch(
    new RegExp(`^waiting for a blob that ${holder} is fetching into the same store: it is running; wait`, 'm'),
  )
  expect(second.stderr).toMatch(/app:1: [\d.]+k?B fetched, [\d.]+[kM]B through another process, /)
})

/** A store that yields a blob only when the gate is open. */
function gated(store: Store, digest: string, gate: Promise<void>): Store {
  const read: Store['read'] = async function* (one, options) {
    if (one === digest) await gate
    yield* store.read(one, options)
  }
  return new Proxy(store, {
    get(target, name) {
      const value = name === 'read' ? read : Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
