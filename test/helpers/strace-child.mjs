// Puts, resumes, names and forgets in the store it is told, again and again, and says what came of each; waits before each, so
// that strace can be attached.
import { createInterface } from 'node:readline'
import { LayerStoreError } from '../../lib/errors/index.ts'
import { openStore, planCollection, runCollection } from '../../lib/store/index.ts'

const say = text => new Promise(resolve => process.stdout.write(`${text}\n`, resolve))
// What is loaded once has been loaded before the first fault.
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

await say('ready')
for await (const directory of createInterface({ input: process.stdin })) {
  await work(directory).catch(error => say(`failed ${LayerStoreError.is(error)} ${error.code} ${error.errno}`))
  await say('done')
}
