import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from './free-port.mjs'

/** The programs of a cluster. */
export const CEPH_PROGRAMS = ['radosgw', 'radosgw-admin', 'ceph-mon', 'ceph-osd', 'ceph', 'monmaptool']

/**
 * Starts Ceph's gateway over a monitor and one storage daemon in memory, all on loopback; for benchmarks and tests. It
 * resolves to the gateway's address before the gateway answers. `rgw.log` in the directory has a line for each request.
 *
 * The caller gives `run(name, args)`, which resolves when a program has ended, and `start(name, args)`, which starts a
 * daemon.
 */
export async function startCephCluster({ directory, memoryBytes, key }, { run, start }) {
  const [monitor, gateway] = [await freePort(), await freePort()]
  const [cluster, disk] = [randomUUID(), randomUUID()]
  const at = name => join(directory, name)
  const common = ['-c', at('ceph.conf')]
  writeFileSync(at('ceph.conf'), configOf({ directory, cluster, monitor, gateway, memoryBytes }))
  await run('monmaptool', ['--create', '--fsid', cluster, '--addv', 'a', `[v2:127.0.0.1:${monitor}]`, at('monmap')])
  await run('ceph-mon', [...common, '-i', 'a', '--mkfs', '--monmap', at('monmap')])
  start('ceph-mon', [...common, '-i', 'a', '-f'])
  await run('ceph', [...common, '--connect-timeout', '60', 'osd', 'new', disk])
  mkdirSync(at('osd'))
  await run('ceph-osd', [...common, '-i', '0', '--mkfs', '--osd-uuid', disk])
  start('ceph-osd', [...common, '-i', '0', '-f'])
  const keys = ['--access-key', key.accessKeyId, '--secret-key', key.secretAccessKey]
  await run('radosgw-admin', [...common, 'user', 'create', '--uid', 'user', '--display-name', 'user', ...keys])
  start('radosgw', [...common, '-n', 'client.rgw', '-f'])
  return `http://127.0.0.1:${gateway}`
}

/** One copy of everything, one placement group a pool, no authentication between daemons, no background work. */
function configOf({ directory, cluster, monitor, gateway, memoryBytes }) {
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
memstore device bytes = ${memoryBytes}
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
