// Works in the store of each request and prints the outcome; waits before each request, so that strace can attach. A
// request is a line: a directory, optionally an act (default `work`: put, resume, name, delete the name, collect) and
// its arguments.
import { createInterface } from 'node:readline'
import { openStore } from '../../lib/disk-store/index.ts'
import { LayerStoreError } from '../../lib/errors/index.ts'
import { composeImage } from '../../lib/image/index.ts'
import { writeLayer } from '../../lib/layer/index.ts'
import { planCollection, runCollection } from '../../lib/maintenance/index.ts'
import { createRegistryClient } from '../../lib/registry/index.ts'
import { planPull, planPush, runPull, runPush } from '../../lib/transfer/index.ts'

const say = text => new Promise(resolve => process.stdout.write(`${text}\n`, resolve))
// Load lazily imported modules before the first fault.
await (await openStore(process.argv[2])).put(Buffer.from('warm'))

async function work(directory) {
  const store = await openStore(directory)
  try {
    const { digest } = await store.put(Buffer.alloc(100_000, 'blob'))
    await say(`put ${digest}`)
    const left = await store.ingest('key')
    await left.write(Buffer.alloc(1000, 'left'))
    await left[Symbol.asyncDispose]()
    const writer = await store.ingest('key')
    await writer.write(Buffer.alloc(1000, 'ingest'))
    const committed = await writer.commit()
    await say(`put ${committed.digest}`)
    await store.references.set('second:1', await store.references.get('first:1'))
    await say('name second:1')
    await store.references.delete('zeroth:1')
    const garbage = await store.put(Buffer.from('garbage'))
    const lease = await store.leases.hold({ digests: [digest, committed.digest] })
    await store.delete(garbage.digest)
    await runCollection(store, await planCollection(store))
    await lease.release()
  } finally {
    await store.close()
  }
}

async function assemble(store) {
  const layers = []
  for (const path of ['one', 'two']) {
    layers.push(await writeLayer(store, [{ path, type: 'file', content: Buffer.alloc(50_000, path) }]))
  }
  const image = await composeImage(store, { layers })
  await store.references.set('made:1', image.descriptor)
  await say('name made:1')
}

async function transfer(act) {
  const registry = createRegistryClient({ credentials: false })
  try {
    await act(registry)
  } finally {
    await registry.close()
  }
}

const ACTS = {
  work,
  assemble: directory => inStore(directory, assemble),
  pull: (directory, from) =>
    inStore(directory, store =>
      transfer(async registry => {
        await runPull(await planPull(registry, store, from, { name: 'pulled:1' }))
        await say('name pulled:1')
      }),
    ),
  push: (directory, to) =>
    inStore(directory, store =>
      transfer(async registry => {
        await runPush(await planPush(store, registry, 'first:1', to))
        await say(`pushed ${to}`)
      }),
    ),
}

async function inStore(directory, act) {
  const store = await openStore(directory)
  try {
    await act(store)
  } finally {
    await store.close()
  }
}

await say('ready')
for await (const line of createInterface({ input: process.stdin })) {
  const [directory, act = 'work', argument] = line.split(' ')
  await ACTS[act](directory, argument).catch(error =>
    say(`failed ${LayerStoreError.is(error)} ${error.code} ${error.errno}`),
  )
  await say('done')
}
