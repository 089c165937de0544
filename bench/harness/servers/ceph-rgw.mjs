import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { missing, versionOf } from '../find-program.mjs'
import { CEPH_PROGRAMS, startCephCluster } from './ceph-cluster.mjs'
import { makeBucket } from './make-bucket.mjs'

const run = promisify(execFile)
const KEY = { accessKeyId: 'AKBENCH', secretAccessKey: 'secret-of-the-bench' }
const REGION = 'us-east-1'

/** Returns the reason why Ceph's gateway cannot run here, or `undefined`. */
export function missingCephRgw() {
  return missing(...CEPH_PROGRAMS)
}

export function versionOfCeph() {
  return versionOf('radosgw')
}

/**
 * Runs an act with Ceph's gateway over a monitor and one storage daemon in memory, all on loopback. The act gets the
 * endpoint, region and key, `makeBucket`, and `requestsTo`, which counts the requests of a bucket in the gateway's log.
 */
export async function withCephRgw(directory, act) {
  mkdirSync(directory, { recursive: true })
  const running = []
  const start = (name, args) => running.push(startDaemon(join(directory, `${name}.out`), name, args))
  try {
    return await act(await startEngine(directory, start))
  } finally {
    for (const daemon of running.reverse()) {
      daemon.program.kill('SIGKILL')
      await daemon.exited
    }
  }
}

async function startEngine(directory, start) {
  const cluster = { directory, memoryBytes: 4 * 1024 ** 3, key: KEY }
  const engine = { endpoint: await startCephCluster(cluster, { run, start }), region: REGION, key: KEY }
  await untilTrue('the gateway did not start', async () => (await fetch(engine.endpoint)).ok)
  return {
    ...engine,
    // Daemons behind a gateway that has just started may not answer it yet.
    makeBucket: bucket => untilTrue(`bucket ${bucket} was not made`, () => makeBucket(engine, bucket)),
    requestsTo: bucket => requestsTo(join(directory, 'rgw.log'), bucket),
  }
}

function startDaemon(log, name, args) {
  const output = openSync(log, 'a')
  const program = spawn(name, args, { stdio: ['ignore', output, output] })
  closeSync(output)
  return { program, exited: once(program, 'exit') }
}

async function untilTrue(failure, test) {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(50)) {
    if (await test().catch(() => false)) return
  }
  throw new Error(failure)
}

/** Counts the gateway's lines about a bucket once no more are written: it logs a request after its answer. */
async function requestsTo(log, bucket) {
  const count = () => readFileSync(log, 'utf8').split(` /${bucket}`).length - 1
  for (let before = count(); ; ) {
    await sleep(150)
    const now = count()
    if (now === before) return now
    before = now
  }
}
