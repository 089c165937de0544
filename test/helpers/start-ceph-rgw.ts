import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { S3Engine } from './create-bucket.ts'
import { freePort } from './free-port.ts'
import { answering, keepRunning } from './keep-running.ts'
import { needsProgram } from './needs-program.ts'
import { program } from './program.ts'
import { sharedEngine } from './shared-engine.ts'

/** True if the programs of Ceph exist here; prints what is missing otherwise. */
export function needsCephRgw(): boolean {
  return ['radosgw', 'radosgw-admin', 'ceph-mon', 'ceph-osd', 'ceph', 'monmaptool'].every(needsProgram)
}

/**
 * Ceph's gateway over a monitor and one storage daemon in memory, all on loopback. It is started once for a run of the
 * tests: its files make buckets of their own in it.
 */
export function startCephRgw(): Promise<S3Engine> {
  return sharedEngine('ceph-rgw', startCluster)
}

const KEY = { accessKeyId: 'AKTEST', secretAccessKey: 'secret/of+ceph' }

async function startCluster(directory: string): Promise<S3Engine> {
  const [monitor, gateway] = [await freePort(), await freePort()]
  const [cluster, disk] = [randomUUID(), randomUUID()]
  const at = (name: string) => join(directory, name)
  const config = at('ceph.conf')
  writeFileSync(config, configOf({ directory, cluster, monitor, gateway }))
  const common = ['-c', config]
  const address = `[v2:127.0.0.1:${monitor}]`
  await program('monmaptool', ['--create', '--fsid', cluster, '--addv', 'a', address, at('monmap')])
  await program('ceph-mon', [...common, '-i', 'a', '--mkfs', '--monmap', at('monmap')])
  keepRunning(at('mon.log'), 'ceph-mon', [...common, '-i', 'a', '-f'])
  const ceph = (...args: string[]) => program('ceph', [...common, '--connect-timeout', '60', ...args])
  await ceph('osd', 'new', disk)
  mkdirSync(at('osd'))
  await program('ceph-osd', [...common, '-i', '0', '--mkfs', '--osd-uuid', disk])
  keepRunning(at('osd.log'), 'ceph-osd', [...common, '-i', '0', '-f'])
  const user = ['user', 'create', '--uid', 'test', '--display-name', 'test']
  const key = ['--access-key', KEY.accessKeyId, '--secret-key', KEY.secretAccessKey]
  await program('radosgw-admin', [...common, ...user, ...key])
  keepRunning(at('rgw.log'), 'radosgw', [...common, '-n', 'client.rgw', '-f'])
  const endpoint = `http://127.0.0.1:${gateway}`
  await answering(endpoint, at('rgw.log'))
  return { endpoint, region: 'us-east-1', credentials: KEY }
}

/** One copy of everything, one placement group a pool, no authentication between daemons, no background work. */
function configOf(place: { directory: string; cluster: string; monitor: number; gateway: number }): string {
  const { directory, cluster, monitor, gateway } = place
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
memstore device bytes = 2147483648
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
`
}
