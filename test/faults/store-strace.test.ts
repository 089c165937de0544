import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/store/index.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { transpileLibrary } from '../helpers/transpile-library.ts'

const missing = !needsProgram('strace')
let library: string
beforeAll(() => {
  library = transpileLibrary()
  writeFileSync(join(library, 'child.mjs'), CHILD)
})
afterAll(() => rmSync(library, { recursive: true, force: true }))

const CHILD = `
import { openStore } from './store/index.js'
import { LayerStoreError } from './errors/index.js'
const store = await openStore(process.argv[2])
try {
  const { digest } = await store.put(Buffer.alloc(100_000, 'blob'))
  process.stdout.write('put ' + digest + '\\n')
  const left = await store.ingest('key')
  await left.write(Buffer.alloc(1000, 'left'))
  await left[Symbol.asyncDispose]()
  const writer = await store.ingest('key')
  await writer.write(Buffer.alloc(1000, 'ingest'))
  process.stdout.write('put ' + (await writer.commit()).digest + '\\n')
  const descriptor = await store.references.get('first:1')
  await store.references.set('second:1', descriptor)
  process.stdout.write('name second:1\\n')
} catch (error) {
  process.stdout.write('failed ' + LayerStoreError.is(error) + ' ' + error.code + ' ' + error.errno + '\\n')
}
await store.close().catch(() => {})
`

async function freshStore(path: string): Promise<void> {
  const store = await openStore(path)
  const { manifest } = await putStoreImage(store)
  await store.references.set('first:1', manifest)
  await store.close()
}

async function expectSound(path: string, output: string): Promise<void> {
  const store = await openStore(path)
  const digests = new Set<string>()
  for await (const { digest } of store.list()) {
    for await (const _ of store.read(digest)) void _
    digests.add(digest)
  }
  for (const line of output.split('\n').filter(text => text.startsWith('put ')))
    expect(digests).toContain(line.slice(4))
  if (output.includes('name second:1')) expect(await store.references.get('second:1')).toBeDefined()
  await store.references.set('third:1', (await store.references.get('first:1'))!)
  await (await store.ingest('key')).abort()
  await store.close()
}

/** Runs the child with one system call made to fail, or to kill it, at its n-th use by one of its threads. */
function inject(path: string, call: string, what: string, n: number) {
  const args = ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${call}:${what}:when=${n}`]
  const child = [process.execPath, join(library, 'child.mjs'), path]
  return spawnSync('strace', [...args, ...child], { encoding: 'utf8' })
}

const ERRORS: [call: string, errno: string][] = [
  ['fsync', 'EIO'],
  ['fsync', 'ENOSPC'],
  ['fdatasync', 'EIO'],
  ['pwrite64', 'ENOSPC'],
  ['pwrite64', 'EIO'],
  ['link', 'ENOSPC'],
  ['link', 'EIO'],
  ['rename', 'EIO'],
  ['mkdir', 'EDQUOT'],
  ['unlink', 'EIO'],
]

describe.skipIf(missing)('under system calls that fail', () => {
  test.each(ERRORS)('%s with %s, at each of its first uses', { timeout: 120_000 }, async (call, errno) => {
    let failures = 0
    for (let n = 1; n <= 5; n++) {
      using directory = temporaryDirectory('strace')
      await freshStore(directory.path)
      const { stdout, stderr } = inject(directory.path, call, `error=${errno}`, n)
      expect(stdout + stderr).not.toContain('failed false')
      if (stdout.includes('failed true')) {
        failures++
        expect(stdout).toContain(`ERR_STORE_IO ${errno}`)
      }
      await expectSound(directory.path, stdout)
    }
    // Removing leftovers is best effort; what moves bytes and names is not.
    if (call !== 'unlink') expect(failures).toBeGreaterThan(0)
  })

  const calls = ['fsync', 'fdatasync', 'pwrite64', 'link', 'rename', 'mkdir', 'unlink']
  test.each(calls)('killed at the n-th %s, for the first n', { timeout: 120_000 }, async call => {
    let killed = 0
    for (let n = 1; n <= 6; n++) {
      using directory = temporaryDirectory('strace-kill')
      await freshStore(directory.path)
      const { stdout, signal } = inject(directory.path, call, 'signal=KILL', n)
      if (signal === 'SIGKILL') killed++
      await expectSound(directory.path, stdout)
    }
    expect(killed).toBeGreaterThan(0)
  })
})

test.skipIf(missing)('data is synced before its name appears, the name before it is acknowledged', async () => {
  using directory = temporaryDirectory('order')
  await freshStore(directory.path)
  const log = join(directory.path, 'trace')
  const calls = 'trace=fsync,fdatasync,link,rename,write,chmod,fchmod,openat,close'
  execFileSync('strace', [
    '-f',
    '-y',
    '-qq',
    '-s',
    '200',
    '-o',
    log,
    '-e',
    calls,
    process.execPath,
    join(library, 'child.mjs'),
    directory.path,
  ])
  const { readFileSync } = await import('node:fs')
  const lines = readFileSync(log, 'utf8').split('\n')
  const after = (from: number, pattern: RegExp) => {
    const found = lines.findIndex((line, i) => i > from && pattern.test(line))
    expect(found, `${pattern} after line ${from}`).toBeGreaterThan(from)
    return found
  }
  const dataSync = after(-1, /fsync\(\d+<[^>]*ingests\/put-[^>]*>/)
  const readOnly = after(dataSync, /fchmod\(\d+<[^>]*ingests\/put-[^>]*>, 0444/)
  const linked = after(readOnly, /link\("[^"]*ingests\/put-[^"]*", "[^"]*blobs\/sha256/)
  const directorySync = after(linked, /fsync\(\d+<[^>]*blobs\/sha256>/)
  const acknowledged = after(directorySync, /write\(1<[^>]*>, "put /)
  const indexSync = after(acknowledged, /fsync\(\d+<[^>]*index\.json\.[^>]*tmp>/)
  const renamed = after(indexSync, /rename\("[^"]*index\.json\.[^"]*", "[^"]*index\.json"/)
  const rootSync = after(renamed, /fsync\(\d+</)
  after(rootSync, /write\(1<[^>]*>, "name /)
  expect(readdirSync(directory.path)).toContain('index.json')
})
