// Downloads addresses, four at a time, and writes them down: no check, no durability.
import { createWriteStream, mkdirSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { report } from './report.mjs'

const agent = new Agent({ keepAlive: true, maxSockets: 4 })

await report(async ({ addresses, layout }, timed) => {
  mkdirSync(`${layout}/blobs/sha256`, { recursive: true })
  const download = async ({ digest, address }) => {
    const answer = await new Promise((done, fail) => get(address, { agent }, done).once('error', fail))
    if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} for ${digest}`)
    await pipeline(answer, createWriteStream(`${layout}/blobs/${digest.replace(':', '/')}`, { highWaterMark: 2 ** 20 }))
  }
  await timed(() => Promise.all(addresses.map(download)))
  agent.destroy()
  return { outcome: { layout } }
})
