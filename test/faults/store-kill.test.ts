import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { memoryDirectory } from '../helpers/memory-directory.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { sweep } from '../helpers/sweep.ts'
import { transpileLibrary } from '../helpers/transpile-library.ts'

/** Number of times that two processes are killed. */
const KILLS = sweep(20, 3)
/** Number of processes that set names concurrently, and number of names that each sets. */
const PROCESSES = sweep(8, 4)
const NAMES = sweep(25, 6)

let library: string
beforeAll(() => {
  library = transpileLibrary()
  writeFileSync(join(library, 'store-kill-child.mjs'), CHILD)
})

/** Puts and tags in a loop, and prints each acknowledged digest and name. */
const CHILD = `
import { openStore } from './disk-store/index.js'
const [directory, name, rounds] = process.argv.slice(2)
const say = text => new Promise(resolve => process.stdout.write(text + '\\n', resolve))
const store = await openStore(directory)
const type = kind => 'application/vnd.oci.image.' + kind
for (let i = 0; i < Number(rounds); i++) {
  const layer = { mediaType: type('layer.v1.tar'), ...(await store.put(Buffer.alloc(1 + (i % 7) * 70_000, name + i))) }
  await say('blob ' + layer.digest)
  const writer = await store.ingest('config', { wait: true })
  if (writer.offset === 0) await writer.write(Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [layer.digest] } })))
  const config = { mediaType: type('config.v1+json'), ...(await writer.commit()) }
  await say('blob ' + config.digest)
  const manifest = { schemaVersion: 2, mediaType: type('manifest.v1+json'), config, layers: [layer] }
  const descriptor = { mediaType: manifest.mediaType, ...(await store.put(Buffer.from(JSON.stringify(manifest)))) }
  await store.references.set(name + ':' + i, descriptor)
  await say('name ' + name + ':' + i + ' ' + descriptor.digest)
}
await store.close()
`

interface Run {
  readonly said: string[]
  readonly ended: Promise<void>
  kill(): void
}

function start(directory: string, name: string, rounds: number): Run {
  const child = spawn(process.execPath, [join(library, 'store-kill-child.mjs'), directory, name, String(rounds)])
  const said: string[] = []
  let rest = ''
  child.stdout.on('data', chunk => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    said.push(...lines)
  })
  child.stderr.on('data', chunk => said.push(`error ${chunk}`))
  return { said, ended: once(child, 'close').then(() => undefined), kill: () => child.kill('SIGKILL') }
}

/**
 * Expects every acknowledged blob and name to exist, all content to be correct, and no leftover to block an operation.
 */
async function expectSound(path: string, said: readonly string[]): Promise<void> {
  expect(said.filter(line => line.startsWith('error'))).toEqual([])
  const store = await openStore(path)
  const digests = new Set<string>()
  for await (const { digest } of store.list()) {
    for await (const _ of store.read(digest)) void _
    digests.add(digest)
  }
  const names = new Map<string, string>()
  for await (const { name, descriptor } of store.references.list()) names.set(name, descriptor.digest)
  for (const [kind, what, digest] of said.map(line => line.split(' '))) {
    if (kind === 'blob') expect(digests.has(what!)).toBe(true)
    if (kind === 'name') expect(names.get(what!)).toBe(digest)
  }
  const { manifest } = await putStoreImage(store)
  for (const [name] of names) await store.references.set(name, (await store.references.get(name))!)
  await store.references.set('after:1', manifest)
  await (await store.ingest('config')).abort()
  await store.close()
  expect(readdirSync(join(path, '.layerstore/locks')).filter(name => !name.endsWith('.tmp'))).toEqual([])
}

test('killed at random moments, the store keeps what it acknowledged and blocks no process', {
  timeout: 240_000,
}, async () => {
  using directory = memoryDirectory('kill')
  const said: string[] = []
  for (let i = 0; i < KILLS; i++) {
    const runs = [start(directory.path, `a${i}`, 1000), start(directory.path, `b${i}`, 1000)]
    // Before the first acknowledgement a kill would interrupt nothing.
    while (runs.some(run => run.said.length === 0)) await new Promise(resolve => setTimeout(resolve, 5))
    await new Promise(resolve => setTimeout(resolve, Math.random() * 120))
    for (const run of runs) run.kill()
    await Promise.all(runs.map(run => run.ended))
    for (const run of runs) said.push(...run.said)
  }
  console.log(`killed ${2 * KILLS} processes; ${said.length} acknowledgements checked`)
  expect(said.length).toBeGreaterThan(2 * KILLS)
  await expectSound(directory.path, said)
})

test(`${PROCESSES} processes tag at the same time, and no name is lost`, async () => {
  using directory = memoryDirectory('tags')
  const runs = Array.from({ length: PROCESSES }, (_, i) => start(directory.path, `p${i}`, NAMES))
  await Promise.all(runs.map(run => run.ended))
  const said = runs.flatMap(run => run.said)
  expect(said.filter(line => line.startsWith('name'))).toHaveLength(PROCESSES * NAMES)
  await expectSound(directory.path, said)
})
