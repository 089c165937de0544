// Uses a store in a process with a low limit of open files, and prints the outcome as one JSON document.
import { closeSync, openSync, readdirSync, readlinkSync } from 'node:fs'
import { openStore } from '../../lib/disk-store/index.ts'

const [act, directory] = process.argv.slice(2)
const openHere = () =>
  readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`)
      return target.startsWith(directory) ? [target] : []
    } catch {
      return []
    }
  })
const type = kind => `application/vnd.oci.image.${kind}`

const ACTS = {
  async crowd(store) {
    let most = 0
    const watch = setInterval(() => {
      try {
        most = Math.max(most, openHere().length)
      } catch {
        // No file is left for looking.
      }
    }, 2)
    async function* bytesOf(i) {
      for (let at = 0; at < 10; at++) {
        yield Buffer.alloc(40_000, `blob ${i} `)
        await new Promise(resolve => setImmediate(resolve))
      }
    }
    const blobs = await Promise.all(Array.from({ length: 500 }, (_, i) => store.put(bytesOf(i))))
    const put = async (bytes, mediaType) => ({ mediaType, ...(await store.put(Buffer.from(bytes))) })
    const config = await put(
      '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}',
      type('config.v1+json'),
    )
    const manifest = { schemaVersion: 2, mediaType: type('manifest.v1+json'), config, layers: [] }
    const image = await put(JSON.stringify(manifest), manifest.mediaType)
    const reading = blobs.map(async ({ digest }) => {
      let bytes = 0
      for await (const chunk of store.read(digest)) bytes += chunk.byteLength
      return bytes
    })
    const naming = Array.from({ length: 100 }, (_, i) => store.references.set(`app:${i}`, image))
    const read = (await Promise.all(reading)).filter(bytes => bytes === 400_000).length
    const names = (await Promise.all(naming)).length
    clearInterval(watch)
    return { put: new Set(blobs.map(({ digest }) => digest)).size, read, names, most }
  },
  async starve(store) {
    const { digest } = await store.put(Buffer.from('there'))
    const taken = []
    const take = () => {
      try {
        for (;;) taken.push(openSync('/dev/null'))
      } catch {
        // All are taken now.
      }
    }
    const read = async () => {
      for await (const _ of store.read(digest)) void _
      return 'found'
    }
    take()
    setTimeout(() => closeSync(taken.pop()), 100)
    const waited = await read()
    take()
    const starved = await read().catch(error => [error.code, error.errno])
    for (const fd of taken) closeSync(fd)
    return { waited, starved }
  },
}
const store = await openStore(directory)
const result = await ACTS[act](store)
await store.close()
console.log(JSON.stringify({ ...result, left: openHere() }))
