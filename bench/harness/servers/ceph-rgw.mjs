import { execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { missing, versionOf } from '../find-program.mjs'
import { freePort } from './free-port.mjs'
import { makeBucket } from './make-bucket.mjs'

const run = promisify(execFile)
const KEY = { accessKeyId: 'AKBENCH', secretAccessKey: 'secret-of-the-bench' }
const REGION = 'us-east-1'

/** Returns the reason why Ceph's gateway cannot run here, or `undefined`. */
export function missingCephRgw() {
  return missing('radosgw', 'radosgw-admin', 'ceph-mon', 'ceph-osd', 'ceph', 'monmaptool')
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
  const start = (name, ...args) => running.push(startDaemon(join(directory, `${name}.out`), name, args))
  try {
    return await act(await startCluster(directory, start))
  } finally {
    for (const daemon of running.reverse()) {
      daemon.program.kill('SIGKILL')
      await daemon.exited
    }
  }
}

async function startCluster(directory, start) {
  const [monitor, gateway] = [await freePort(), await freePort()]
  const [cluster, disk] = [randomUUID(), randomUUID()]
  const at = name => join(directory, name)
  const common = ['-c', at('ceph.conf')]
  writeFileSync(at('ceph.conf'), configOf({ directory, cluster, monitor, gateway }))
  await run('monmaptool', ['--create', '--fsid', cluster, '--addv', 'a', `[v2:127.0.0.1:${monitor}]`, at('monmap')])
  await run('ceph-mon', [...common, '-i', 'a', '--mkfs', '--monmap', at('monmap')])
  start('ceph-mon', ...common, '-i', 'a', '-f')
  await run('ceph', [...common, '--connect-timeout', '60', 'osd', 'new', disk])
  mkdirSync(at('osd'))
  await run('ceph-osd', [...common, '-i', '0', '--mkfs', '--osd-uuid', disk])
  start('ceph-osd', ...common, '-i', '0', '-f')
  const key = ['--access-key', KEY.accessKeyId, '--secret-key', KEY.secretAccessKey]
  await run('radosgw-admin', [...common, 'user', 'create', '--uid', 'bench', '--display-name', 'bench', ...key])
  start('radosgw', ...common, '-n', 'client.rgw', '-f')
  const engine = { endpoint: `http://127.0.0.1:${gateway}`, region: REGION, key: KEY }
  await untilTrue('the gateway did not start', async () => (await fetch(engine.endpoint)).ok)
  return {
    ...engine,
    // Daemons behind a gateway that has just started may not answer it yet.
    makeBucket: bucket => untilTrue(`bucket ${bucket} was not made`, () => makeBucket(engine, bucket)),
    requestsTo: bucket => requestsTo(at('rgw.log'), bucket),
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

/** One copy of everything, one placement group a pool, no authentication between daemons, no background work. */
function configOf({ directory, cluster, monitor, gateway }) {
  return `[global]
fsid = ${cluster}
mon host = v2:127.0.0.1:${monitor}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
ms bind ipv6 = false
mon data = ${directory}/mon
osd data = ${directory}/osd
rgw data = ${directory}/rgw
run dir = ${directory}
admin socket =
log file =
mon cluster log file =
log to stderr = false
err to stderr = true
osd objectstore = memstore
memstore device bytes = 4294967296
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
rgw rados pool pg num min = 1
mon max pg per osd = 1000
mon allow pool size one = true
osd class load list = *
osd class default list = *
paxos propose interval = 0.05
rgw frontends = beast endpoint=127.0.0.1:${gateway}
rgw thread pool size = 64
rgw num rados handles = 1
rgw enable gc threads = false
rgw enable lc threads = false
rgw enable quota threads = false
rgw run sync thread = false
rgw dynamic resharding = false
[client.rgw]
log file = ${directory}/rgw.log
debug rgw = 1
`
}
