// Receives the blobs of an image, four at a time, and writes them down: no check, no durability. The floor for Node.
import { createWriteStream, mkdirSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { report } from './report.mjs'

const agent = new Agent({ keepAlive: true, maxSockets: 4 })

await report(async ({ reference, layout, digests }, timed) => {
  const [, host, repository] = /^([^/]+)\/(.+):[^:]+$/.exec(reference)
  mkdirSync(`${layout}/blobs/sha256`, { recursive: true })
  const fetchOne = async ({ digest, manifest }) => {
    const url = `http://${host}/v2/${repository}/${manifest ? 'manifests' : 'blobs'}/${digest}`
    const headers = { accept: 'application/vnd.oci.image.manifest.v1+json' }
    const answer = await new Promise((done, fail) => get(url, { agent, headers }, done).once('error', fail))
    if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} for ${digest}`)
    const file = `${layout}/blobs/${digest.replace(':', '/')}`
    await pipeline(answer, createWriteStream(file, { highWaterMark: 2 ** 20 }))
  }
  await timed(() => Promise.all(digests.map(fetchOne)))
  agent.destroy()
  return { outcome: { layout } }
})
