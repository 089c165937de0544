// A second process for tests of a shared store: runs the act named by its first argument when the test tells it to.
import { watch } from 'node:fs'
import { join } from 'node:path'
import { openStore } from '../../lib/disk-store/index.ts'
import { acquireLock } from '../../lib/internal/locks/lock.ts'

const [act, directory, ...args] = process.argv.slice(2)
const say = text => new Promise(resolve => process.stdout.write(`${text}\n`, resolve))
const told = () => new Promise(resolve => process.stdin.once('data', resolve))
const store = await openStore(directory)
const type = kind => `application/vnd.oci.image.${kind}`

const ACTS = {
  async names() {
    const [prefix, count, image] = args
    let rewrites = 0
    const watcher = watch(directory, (_, file) => {
      if (file?.startsWith(`index.json.${process.pid}-`)) rewrites++
    })
    await say('ready')
    await told()
    const descriptor = JSON.parse(image)
    await Promise.all(
      Array.from({ length: Number(count) }, (_, i) => store.references.set(`${prefix}:${i}`, descriptor)),
    )
    watcher.close()
    // Each rewrite causes three events: create, change, rename.
    await say(String(Math.ceil(rewrites / 3)))
  },
  async puts() {
    await say('ready')
    await told()
    for (let i = 0; i < Number(args[0]); i++) await store.put(Buffer.alloc(100_000, `same ${i}`))
  },
  async swap() {
    const [name, expected, descriptor] = args
    await say('ready')
    await told()
    await store.references.set(name, JSON.parse(descriptor), { expected }).then(say, error => say(error.code))
  },
  async 'lease-then-name'() {
    const lease = await store.leases.hold({ label: 'stopped' })
    const put = async (bytes, mediaType) => ({ mediaType, ...(await store.put(Buffer.from(bytes))) })
    const layer = await put('layer', type('layer.v1.tar'))
    const rootfs = { type: 'layers', diff_ids: [layer.digest] }
    const config = await put(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs }), type('config.v1+json'))
    const manifest = { schemaVersion: 2, mediaType: type('manifest.v1+json'), config, layers: [layer] }
    const image = await put(JSON.stringify(manifest), manifest.mediaType)
    await say('ready')
    await told()
    await store.references.set('app:1', image).then(
      () => say('named'),
      error => say(error.code),
    )
    await lease.release()
  },
  async lock() {
    const lock = await acquireLock(join(directory, '.layerstore/locks/index'))
    await say('locked')
    await told()
    await lock.assertHeld().then(
      () => say('held'),
      error => say(error.code),
    )
    await lock.release()
  },
}
await ACTS[act]()
await store.close()
process.stdin.destroy()
