import { join } from 'node:path'
import { CEPH_PROGRAMS, startCephCluster } from '../../bench/harness/servers/ceph-cluster.mjs'
import type { S3Engine } from './create-bucket.ts'
import { answering, keepRunning } from './keep-running.ts'
import { needsProgram } from './needs-program.ts'
import { program } from './program.ts'
import { sharedEngine } from './shared-engine.ts'

/** True if the programs of Ceph exist here; prints what is missing otherwise. */
export function needsCephRgw(): boolean {
  return CEPH_PROGRAMS.every(needsProgram)
}

/**
 * Ceph's gateway over a monitor and one storage daemon in memory, all on loopback. It is started once for a run of the
 * tests: its files make buckets of their own in it.
 */
export function startCephRgw(): Promise<S3Engine> {
  return sharedEngine('ceph-rgw', startEngine)
}

const KEY = { accessKeyId: 'AKTEST', secretAccessKey: 'secret/of+ceph' }

async function startEngine(directory: string): Promise<S3Engine> {
  const log = (name: string) => join(directory, `${name}.out`)
  const start = (name: string, args: readonly string[]) => keepRunning(log(name), name, args)
  const cluster = { directory, memoryBytes: 2 * 1024 ** 3, key: KEY }
  const endpoint: string = await startCephCluster(cluster, { run: program, start })
  await answering(endpoint, log('radosgw'))
  return { endpoint, region: 'us-east-1', credentials: KEY }
}
