import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { percentile } from '../measure/statistics.mjs'
import { crowd, sendWrongPasswords } from './crowd.mjs'
import { HttpConnection } from './http-connection.mjs'
import { pullBlob, pullManifest, pushImage } from './registry-user.mjs'

const BIG_BYTES = 10e6
const SMALL_BYTES = 20e3

/**
 * Puts a registry under load: pulls of large and of small blobs, pushes, pulls beside readers that read nothing, all of
 * it while wrong passwords come; then manifests and transfers, first without wrong passwords and then with them.
 *
 * @param size - `connections`, `slowReaders`, `attackers` and how often each act is done.
 * @param processOf - Reads what the server's process holds: `descriptors()`.
 */
export async function runLoad(host, size, processOf) {
  const images = await seed(host, size)
  const before = processOf.descriptors()
  const errors = []
  const run = async (connections, total, job) => {
    const result = await crowd(host, connections, total, job)
    errors.push(...result.errors)
    return result
  }
  const figures = {
    ...(await underAttack(host, size, () => mixedLoad(host, size, images, run))),
    ...(await comparedLoad(host, size, images, run)),
  }
  return {
    ...figures,
    errors: errors.length,
    examples: examplesOf(errors),
    descriptorsLeft: await left(before, processOf),
  }
}

/** Returns the most frequent errors, as examples for the report. */
function examplesOf(errors) {
  const counts = new Map()
  for (const error of errors) counts.set(error, (counts.get(error) ?? 0) + 1)
  return [...counts].sort(([, a], [, b]) => b - a).slice(0, 3)
}

async function seed(host, { seeds }) {
  const connection = new HttpConnection(host)
  const images = { big: [], small: [] }
  for (let i = 0; i < 4; i++) images.big.push((await pushImage(connection, `big${i}`, randomBytes(BIG_BYTES))).blob)
  for (let i = 0; i < seeds; i++) {
    images.small.push((await pushImage(connection, `small${i}`, randomBytes(SMALL_BYTES))).blob)
  }
  await pullManifest(connection, 'small0')
  connection.close()
  return images
}

async function underAttack(host, { attackers }, act) {
  const stop = sendWrongPasswords(host, attackers)
  const result = await act()
  await stop()
  return result
}

async function mixedLoad(host, size, { big, small }, run) {
  const { connections, bigPulls, smallPulls, pushes, besideSlow } = size
  const pulled = await run(connections, bigPulls, (connection, i) =>
    pullBlob(connection, big[i % big.length], { hash: i % 20 === 0 }),
  )
  const pulledSmall = await run(connections, smallPulls, (connection, i) =>
    pullBlob(connection, small[i % small.length], { hash: i % 5 === 0 }),
  )
  const pushed = await run(connections, pushes, async (connection, i) => {
    const { manifest } = await pushImage(connection, `pushed${i}`, randomBytes(SMALL_BYTES))
    if ((await pullManifest(connection, `pushed${i}`)) !== manifest.digest)
      throw new Error('another manifest came back')
  })
  const release = await stallReaders(host, size, big)
  const beside = await run(20, besideSlow, async (connection, i) => {
    await pullManifest(connection, `small${i % small.length}`)
    await pullBlob(connection, small[i % small.length], { hash: true })
  })
  release()
  return {
    bigBytesPerSecond: (bigPulls * BIG_BYTES) / pulled.seconds,
    smallPerSecond: smallPulls / pulledSmall.seconds,
    pushesPerSecond: pushes / pushed.seconds,
    besideSlowP99: percentile(beside.latencies, 0.99),
  }
}

/** Clients that ask for a large blob and read nothing of it. */
async function stallReaders(host, { slowReaders }, big) {
  const readers = Array.from({ length: slowReaders }, () => new HttpConnection(host))
  for (const [i, reader] of readers.entries()) {
    reader.stall()
    pullBlob(reader, big[i % big.length], {}).catch(() => {})
  }
  await delay(1000)
  return () => {
    for (const reader of readers) reader.close()
  }
}

/** The same acts without and with wrong passwords. */
async function comparedLoad(host, size, { big, small }, run) {
  const acts = async () => {
    const manifests = await run(1, size.manifests, (connection, i) =>
      pullManifest(connection, `small${i % small.length}`),
    )
    const transfers = await run(4, size.transfers, (connection, i) => pullBlob(connection, big[i % big.length], {}))
    return {
      p99: percentile(manifests.latencies, 0.99),
      bytesPerSecond: (size.transfers * BIG_BYTES) / transfers.seconds,
    }
  }
  const idle = await acts()
  const attacked = await underAttack(host, size, acts)
  return {
    idleP99: idle.p99,
    attackedP99: attacked.p99,
    idleBytesPerSecond: idle.bytesPerSecond,
    attackedBytesPerSecond: attacked.bytesPerSecond,
  }
}

/** Polls up to ten seconds until the descriptors fall to `before`; returns the number that remain above it. */
async function left(before, processOf) {
  for (let i = 0; i < 100 && processOf.descriptors() > before; i++) await delay(100)
  return Math.max(0, processOf.descriptors() - before)
}
