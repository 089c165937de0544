import { mkdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { S3Engine } from './create-bucket.ts'
import { freePort } from './free-port.ts'
import { answering, keepRunning } from './keep-running.ts'
import { needsProgram } from './needs-program.ts'
import { program } from './program.ts'
import { sharedEngine } from './shared-engine.ts'

const SERVERS = ['account', 'container', 'object'] as const
const PROGRAMS = [
  'swift-ring-builder',
  'memcached',
  'swift-proxy-server',
  ...SERVERS.map(name => `swift-${name}-server`),
]

/** True if the programs of Swift exist here; prints what is missing otherwise. */
export function needsSwift(): boolean {
  return PROGRAMS.every(needsProgram)
}

/**
 * OpenStack Swift with its s3api, one copy of everything, on loopback: an engine without conditional writes. It is
 * started once for a run of the tests.
 */
export function startSwift(): Promise<S3Engine> {
  return sharedEngine('swift', startCluster)
}

async function startCluster(directory: string): Promise<S3Engine> {
  const at = (name: string) => join(directory, name)
  mkdirSync(at('devices/d1'), { recursive: true })
  mkdirSync(at('cache'))
  writeFileSync(at('swift.conf'), '[swift-hash]\nswift_hash_path_suffix = test\nswift_hash_path_prefix = test\n')
  const [memcached, gateway] = [await freePort(), await freePort()]
  keepRunning(at('memcached.log'), 'memcached', [
    '-l',
    '127.0.0.1',
    '-p',
    `${memcached}`,
    '-u',
    userInfo().username,
    '-P',
    at('pid'),
  ])
  await Promise.all(SERVERS.map(name => startServer(directory, name)))
  writeFileSync(at('proxy-server.conf'), proxyConfig(directory, gateway, memcached))
  keepRunning(at('proxy.log'), 'swift-proxy-server', [at('proxy-server.conf')])
  const endpoint = `http://127.0.0.1:${gateway}`
  await answering(`${endpoint}/healthcheck`, at('proxy.log'))
  // The access key is account and user of `tempauth`.
  const credentials = { accessKeyId: 'test:tester', secretAccessKey: 'testing' }
  return { endpoint, region: 'us-east-1', credentials }
}

async function startServer(directory: string, name: (typeof SERVERS)[number]): Promise<void> {
  const at = (file: string) => join(directory, file)
  const port = await freePort()
  const ring = (...args: string[]) => program('swift-ring-builder', [at(`${name}.builder`), ...args])
  await ring('create', '1', '1', '0')
  await ring(
    'add',
    '--region',
    '1',
    '--zone',
    '1',
    '--ip',
    '127.0.0.1',
    '--port',
    `${port}`,
    '--device',
    'd1',
    '--weight',
    '1',
  )
  // It ends with 1 if one copy is all that fits, which it is to be.
  await ring('rebalance').catch(() => '')
  writeFileSync(
    at(`${name}-server.conf`),
    `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
devices = ${directory}/devices
mount_check = false
swift_dir = ${directory}
recon_cache_path = ${directory}/cache
workers = 0
user = ${userInfo().username}
[pipeline:main]
pipeline = ${name}-server
[app:${name}-server]
use = egg:swift#${name}
`,
  )
  keepRunning(at(`${name}.log`), `swift-${name}-server`, [at(`${name}-server.conf`)])
}

function proxyConfig(directory: string, port: number, memcached: number): string {
  const filters = ['catch_errors', 'gatekeeper', 'healthcheck', 'listing_formats', 'bulk', 'copy', 'slo']
  const plain = filters.map(name => `[filter:${name}]\nuse = egg:swift#${name}\n`).join('')
  return `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
swift_dir = ${directory}
workers = 0
user = ${userInfo().username}
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth copy slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:${memcached}
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
check_bucket_owner = false
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
${plain}`
}
