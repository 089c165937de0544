import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { httpRequest } from '../helpers/http-request.ts'
import { mixedBytes } from '../helpers/mixed-bytes.ts'
import { needs } from '../helpers/needs.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { program } from '../helpers/program.ts'
import { pushImage, rawImage, sha256 } from '../helpers/push-image.ts'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleBlob } from '../helpers/sample-blob.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { selfSignedCertificate } from '../helpers/self-signed-certificate.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { type CliProcesses, cliProcesses, type StartedCli } from '../helpers/start-cli.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { transpileLibrary } from '../helpers/transpile-library.ts'
import { uploadMemory } from '../helpers/upload-memory.ts'

const MIB = 1024 * 1024
const withProc = test.runIf(needs(existsSync('/proc/self/task'), 'this system has no /proc'))

let directory: ReturnType<typeof temporaryDirectory>
let store: string
let processes: CliProcesses
let started: StartedCli | undefined
beforeEach(() => {
  directory = temporaryDirectory('serve-workers')
  store = join(directory.path, 'store')
  processes = cliProcesses(directory.path, store)
})
afterEach(() => {
  started?.child.kill('SIGKILL')
  started = undefined
  directory[Symbol.dispose]()
})

/** Starts `serve` with two workers and waits until both listen. */
async function serve(...args: string[]) {
  const run = processes.start(['serve', '--json', '--listen', '127.0.0.1:0', '--workers', '2', ...args])
  started = run
  await expect.poll(() => run.text.stdout + run.text.stderr).toContain('\n')
  expect(run.text.stderr).toBe('')
  return { ...run, ...(JSON.parse(run.text.stdout) as { url: string; port: number; workers: number }) }
}

/** Numbers of the worker processes. */
const workersOf = ({ child }: StartedCli) =>
  readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ').map(Number)

/** Bytes that each worker has written so far, to sockets and files. */
const writtenBytes = (run: StartedCli) =>
  new Map(workersOf(run).map(pid => [pid, Number(/wchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))![1])]))

/** Waits until another worker listens in the place of one: without any that listens, connections are refused. */
async function replaced(run: StartedCli, pid: number): Promise<void> {
  await expect.poll(() => run.text.stderr).toMatch(new RegExp(`listens in place of ${pid}\\b`))
  expect(run.text.stderr).toContain(`worker process ${pid} ended (SIGKILL)`)
}

withProc('two workers take the requests of a push by turns, and serve it, with log-in and pages', async () => {
  await using opened = await openStore(store, { durability: 'none' })
  await sampleImage(opened, [{ a: 'b' }], { name: 'stored:1' })
  const users = join(directory.path, 'users')
  writeFileSync(users, 'ann:$2y$05$Ad1LUlOTkC63mhty4f0p4e1vGqriLPU7LoM70zb4ht5OyhfqSXffq\n')
  const run = await serve('--htpasswd', users, '--ui')
  expect([run.workers, workersOf(run).length]).toEqual([2, 2])
  const authorization = `Basic ${Buffer.from('ann:hunter2').toString('base64')}`
  const { bytes, descriptor } = sampleBlob(3 * MIB)
  // Each request has a connection of its own, and connections go to the workers in turn.
  const ask = (method: string, path: string, body?: Uint8Array) =>
    httpRequest(run.url, method, path, { headers: { authorization }, ...(body && { body }) })
  const at = (await ask('POST', '/v2/app/blobs/uploads/')).headers.location!
  for (let offset = 0; offset < bytes.length; offset += MIB) {
    expect((await ask('PATCH', at, bytes.subarray(offset, offset + MIB))).status).toBe(202)
  }
  expect((await ask('GET', at)).headers.range).toBe(`0-${bytes.length - 1}`)
  expect((await ask('PUT', `${at}?digest=${descriptor.digest}`)).status).toBe(201)
  const dropped = (await ask('POST', '/v2/app/blobs/uploads/')).headers.location!
  expect((await ask('DELETE', dropped)).status).toBe(204)
  for (let turn = 0; turn < 2; turn++) expect((await ask('GET', dropped)).status).toBe(404)
  for (const missing of [`sha256:${'0'.repeat(64)}`, descriptor.digest]) {
    const mounted = await ask('POST', `/v2/other/blobs/uploads/?mount=${missing}&from=app`)
    expect(mounted.status).toBe(missing === descriptor.digest ? 201 : 202)
    if (mounted.status === 202) expect((await ask('DELETE', mounted.headers.location!)).status).toBe(204)
  }
  for (let turn = 0; turn < 2; turn++) {
    expect((await ask('GET', `/v2/app/blobs/${descriptor.digest}`)).body.equals(bytes)).toBe(true)
    expect((await ask('GET', '/v2/stored/tags/list')).json()).toMatchObject({ tags: ['1'] })
    expect((await ask('GET', '/')).body.toString()).toContain('"name":"stored:1"')
    expect((await httpRequest(run.url, 'GET', '/v2/')).status).toBe(401)
  }
  run.child.kill('SIGTERM')
  expect(await run.ended).toBe(0)
})

withProc('two workers share the connections of a push and a pull over TLS', async () => {
  const { key, cert } = selfSignedCertificate()
  const [certFile, keyFile] = [join(directory.path, 'cert.pem'), join(directory.path, 'key.pem')]
  writeFileSync(certFile, cert)
  writeFileSync(keyFile, key)
  const source = join(directory.path, 'source')
  const opened = await openStore(source, { durability: 'none' })
  const layers = [1, 2, 3, 4].map(seed => ({ [`file-${seed}`]: mixedBytes(2 * MIB, seed) }))
  const { descriptor } = await sampleImage(opened, layers, { name: 'app:1' })
  await opened.close()
  const run = await serve('--tls-cert', certFile, '--tls-key', keyFile)
  expect(run.url).toBe(`https://127.0.0.1:${run.port}`)
  const before = writtenBytes(run)
  const remote = `127.0.0.1:${run.port}/app:1`
  const push = await cli(['push', 'app:1', remote, '--ca', certFile], { store: source })
  expect(push).toMatchObject({ code: 0 })
  const target = join(directory.path, 'target')
  const pull = await cli(['pull', remote, '--ca', certFile, '--json'], { store: target })
  expect(JSON.parse(pull.stdout)).toMatchObject({ digest: descriptor.digest })
  // Each worker received or sent layers.
  for (const [worker, bytes] of writtenBytes(run)) expect(bytes - before.get(worker)!).toBeGreaterThan(MIB / 2)
  run.child.kill('SIGTERM')
  expect(await run.ended).toBe(0)
})

test.runIf(needsProgram('script'))(
  'Ctrl-C on a terminal ends all workers, and no lease or upload is left',
  async () => {
    const run = processes.start(['serve', '--listen', '127.0.0.1:0', '--workers', '2'], { tty: true, columns: 80 })
    started = run
    await expect.poll(() => run.text.stdout).toMatch(/listening on \S+ with 2 workers/)
    const url = /listening on (\S+)/.exec(run.text.stdout)![1]!
    await pushImage(url, 'app', '1', rawImage('app'))
    expect(readdirSync(join(store, '.layerstore/leases'))).not.toEqual([])
    run.child.stdin.write('\x03')
    expect({ code: await run.ended, text: run.text.stdout }).toEqual({
      code: 0,
      text: expect.stringMatching(/ workers\r\n\^C$/),
    })
    await expect(httpRequest(url, 'GET', '/v2/')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    for (const kind of ['leases', 'ingests']) expect(readdirSync(join(store, '.layerstore', kind))).toEqual([])
  },
)

test('a worker whose channel closes while it closes its server finishes its requests', async () => {
  const script = join(import.meta.dirname, '../helpers/closing-worker.mjs')
  const module = join(transpileLibrary(), 'cli/serving/worker-process.js')
  expect(await program(process.execPath, [script, module])).toBe('finished\nexit 0\n')
})

test('a mirror serves by two workers what each of them has fetched', async () => {
  const remote = createMemoryStore()
  const { layers } = await sampleImage(remote, [{ a: 'one' }, { b: 'two' }], { name: 'some/app:1' })
  await using origin = await serveStore(remote)
  const run = await serve('--upstream', origin.host)
  const ask = (path: string) => httpRequest(run.url, 'GET', `/v2/some/app/${path}`)
  for (let turn = 0; turn < 2; turn++) {
    expect((await ask('manifests/1')).status).toBe(200)
    for (const { descriptor } of layers) {
      // The second request of a blob reaches the other worker, which finds the blob in the store.
      for (let worker = 0; worker < 2; worker++) {
        expect(sha256((await ask(`blobs/${descriptor.digest}`)).body)).toBe(descriptor.digest)
      }
    }
  }
  for (const { descriptor } of layers) {
    expect(origin.requests.filter(line => line.startsWith('GET') && line.endsWith(descriptor.digest))).toHaveLength(1)
  }
  run.child.kill('SIGTERM')
  expect(await run.ended).toBe(0)
})

test.runIf(needsProgram('skopeo'))('skopeo pushes through two workers and pulls what it pushed', async () => {
  const source = join(directory.path, 'source')
  {
    await using opened = await openStore(source, { durability: 'none' })
    await sampleImage(opened, [{ a: 'one' }, { b: 'two' }, { c: 'three' }, { d: 'four' }], { name: 'app:1' })
  }
  const run = await serve()
  const remote = `docker://127.0.0.1:${run.port}/app:1`
  const skopeo = (...args: string[]) => program('skopeo', ['--insecure-policy', 'copy', '-q', ...args])
  await skopeo('--dest-tls-verify=false', `oci:${source}:app:1`, remote)
  await skopeo('--src-tls-verify=false', remote, `oci:${join(directory.path, 'back')}:app:1`)
  run.child.kill('SIGTERM')
  expect(await run.ended).toBe(0)
  await using opened = await openStore(store)
  await using back = await openStore(join(directory.path, 'back'))
  expect((await back.references.get('app:1'))?.digest).toBe((await opened.references.get('app:1'))?.digest)
})

withProc(
  'a push goes on while its worker processes are killed, and does not begin anew',
  { timeout: 240_000 },
  async () => {
    const run = await serve()
    const { bytes, descriptor } = sampleBlob(24 * MIB + 5)
    const first = workersOf(run)
    const kills = [6 * MIB, 14 * MIB]
    let sent = 0
    let replacement = Promise.resolve()
    const openAt = async function* (offset: number) {
      // The client begins again while the first generator still waits; the other worker must not be killed by then.
      await replacement
      for (let at = offset; at < bytes.length; at += 256 * 1024) {
        const chunk = bytes.subarray(at, at + 256 * 1024)
        yield chunk
        sent += chunk.length
        if (first.length === 0 || at < kills[0]!) continue
        kills.shift()
        const victim = first.shift()!
        process.kill(victim, 'SIGKILL')
        replacement = replaced(run, victim)
        await replacement
      }
    }
    await using client = registryClientFor({ retries: { baseDelayMs: 200, tries: 8 } })
    const options = { uploads: uploadMemory(), openAt, chunkBytes: 2 * MIB }
    const target = { registry: `127.0.0.1:${run.port}`, repository: 'app' }
    expect(await client.pushBlob(target, descriptor, () => openAt(0), options)).toBe('uploaded')
    expect(first).toEqual([])
    console.info(`sent ${sent - bytes.length} of ${bytes.length} bytes again after two workers were killed`)
    expect(sent - bytes.length).toBeLessThan(8 * MIB)
    run.child.kill('SIGTERM')
    expect(await run.ended).toBe(0)
    await using opened = await openStore(store)
    expect((await readAll(opened.read(descriptor.digest))).equals(bytes)).toBe(true)
  },
)

test('SIGTERM lets all workers finish their requests', async () => {
  const run = await serve()
  const uploads = await Promise.all(
    [1, 2].map(async seed => {
      const { bytes, descriptor } = sampleBlob(MIB + seed)
      const path = `/v2/app/blobs/uploads/?digest=${descriptor.digest}`
      const outgoing = request(`${run.url}${path}`, { method: 'POST', agent: false })
      const status = new Promise<number>((resolve, reject) => {
        outgoing.on('error', reject).on('response', answer => resolve(answer.resume().statusCode!))
      })
      await new Promise(resolve => outgoing.write(bytes.subarray(0, MIB), resolve))
      return { status, finish: () => outgoing.end(bytes.subarray(MIB)) }
    }),
  )
  await httpRequest(run.url, 'GET', '/v2/')
  run.child.kill('SIGTERM')
  await expect.poll(() => httpRequest(run.url, 'GET', '/v2/').catch(({ code }) => code)).toBe('ECONNREFUSED')
  for (const { finish } of uploads) finish()
  expect(await Promise.all(uploads.map(({ status }) => status))).toEqual([201, 201])
  expect(await run.ended).toBe(0)
})

withProc('workers that crash again and again end the server with an error', async () => {
  const run = await serve()
  for (let crash = 1; crash <= 5; crash++) {
    const [victim] = workersOf(run)
    process.kill(victim!, 'SIGKILL')
    if (crash < 5) await replaced(run, victim!)
  }
  expect(await run.ended).toBe(1)
  expect(run.text.stdout).toContain('ERR_SERVE_WORKERS')
})

withProc('workers end when the process that started them is killed', async () => {
  const run = await serve()
  const workers = workersOf(run)
  run.child.kill('SIGKILL')
  await run.ended
  const isRunning = (pid: number) => {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  }
  await expect.poll(() => workers.some(isRunning)).toBe(false)
})

test('options that cannot work are reported once, with their exit code', async () => {
  for (const workers of ['0', 'x', '65', '1.5']) {
    expect(await cli(['serve', '--workers', workers], { store })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--workers takes a whole number from 1 to 64'),
    })
  }
  expect((await cli(['serve', '--workers', '2'], { store })).stderr).toContain('--workers needs the layerstore program')
  const run = processes.start(['serve', '--listen', '192.0.2.1:0', '--workers', '2'])
  started = run
  expect(await run.ended).toBe(1)
  expect(run.text.stderr).toMatch(/^layerstore: cannot listen on 192\.0\.2\.1:0: .*\(ERR_LISTEN\)\n$/)
})
