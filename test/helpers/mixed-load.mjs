// A process of a build machine, for tests that kill it: pulls, assembles, tags, untags and collects in a store that
// other processes use too, until it is killed. It prints each change of a name before it begins (`doing`), and each
// outcome (`name`, `gone`, `error`).
import { setTimeout as delay } from 'node:timers/promises'
import { openStore } from '../../lib/disk-store/index.ts'
import { composeImage } from '../../lib/image/index.ts'
import { writeLayer } from '../../lib/layer/index.ts'
import { planCollection, runCollection } from '../../lib/maintenance/index.ts'
import { cachedStore, openObjectStore } from '../../lib/object-store/index.ts'
import { createRegistryClient } from '../../lib/registry/index.ts'
import { planPull, runPull } from '../../lib/transfer/index.ts'

const [directory, host, me] = process.argv.slice(2)
const say = text => new Promise(resolve => process.stdout.write(`${text}\n`, resolve))
const pick = n => Math.floor(Math.random() * n)

const store = directory.startsWith('{') ? await openInBucket(JSON.parse(directory)) : await openStore(directory)
const registry = createRegistryClient({ credentials: false })

/** The place of a store in a bucket is a JSON object. With `cache` this machine has a directory in front of it. */
async function openInBucket({ cache, maxBytes, ...place }) {
  const shared = await openObjectStore(place)
  return cache ? cachedStore(await openStore(cache, { durability: 'none' }), shared, { maxBytes }) : shared
}

async function set(name, descriptor) {
  await say(`doing ${name}`)
  await store.references.set(name, descriptor)
  await say(`name ${name} ${descriptor.digest}`)
}

const ACTS = {
  async pull() {
    const name = `${me}:pulled${pick(3)}`
    const plan = await planPull(registry, store, `${host}/base:${pick(6)}`, { name })
    await say(`doing ${name}`)
    await runPull(plan)
    await say(`name ${name} ${(await store.references.get(name)).digest}`)
  },
  async assemble() {
    await using _lease = await store.leases.hold({ label: 'assemble' })
    const files = [{ path: 'shared', type: 'file', content: Buffer.alloc(5000, `content ${pick(8)}`) }]
    const own = [{ path: me, type: 'file', content: Buffer.from(String(pick(1000))) }]
    const layers = [await writeLayer(store, files), await writeLayer(store, own, { compression: 'none' })]
    const image = await composeImage(store, { layers })
    await set(`${me}:made${pick(3)}`, image.descriptor)
  },
  async tag() {
    const descriptor = await store.references.get(`${me}:${['pulled', 'made'][pick(2)]}${pick(3)}`)
    if (descriptor) await set(`${me}:tagged${pick(3)}`, descriptor)
  },
  async untag() {
    const name = `${me}:${['pulled', 'made', 'tagged'][pick(3)]}${pick(3)}`
    await say(`doing ${name}`)
    await store.references.delete(name)
    await say(`gone ${name}`)
  },
  async collect() {
    const plan = await planCollection(store, { graceMs: 0, force: true })
    if (plan.missing.length > 0) throw new Error(`missing ${JSON.stringify(plan.missing)}`)
    const { errors, deleted } = await runCollection(store, plan)
    if (errors.length > 0) throw new Error(JSON.stringify(errors))
    await say(`removed ${deleted.length}`)
  },
}
const ORDER = ['pull', 'assemble', 'assemble', 'tag', 'untag', 'collect']

await say('ready')
// Waits for the command to begin: the test keeps processes ready, so that four always work.
await new Promise(resolve => process.stdin.once('data', resolve))
for (;;) {
  // Leaves time for a machine of two cores to start the next process beside four of these.
  await delay(pick(20))
  const act = ORDER[pick(ORDER.length)]
  try {
    await ACTS[act]()
    await say(`did ${act}`)
  } catch (error) {
    await say(`error ${act} ${JSON.stringify(error.stack)} ${JSON.stringify(error.cause?.stack)}`)
  }
}
