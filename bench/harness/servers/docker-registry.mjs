import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { freePort } from './free-port.mjs'

/** JSON is YAML. */
const CONFIG = { version: 0.1, log: { level: 'error' } }

/**
 * Runs an act with docker-registry on a free loopback port over a directory. The act gets `host:port` and the process
 * id. With `htpasswd` it lets in the users of that file; `storage` replaces the directory as the place of its data.
 */
export async function withDockerRegistry(directory, act, { htpasswd, storage } = {}) {
  const host = `127.0.0.1:${await freePort()}`
  const config = `${directory}/config.yml`
  mkdirSync(directory, { recursive: true })
  writeFileSync(config, JSON.stringify({ ...CONFIG, storage: storage ?? { filesystem: {} } }))
  const env = {
    ...process.env,
    REGISTRY_HTTP_ADDR: host,
    ...(!storage && { REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: `${directory}/data` }),
    // The AWS library in docker-registry panics if this names a file; the buckets here are on plain http.
    ...(storage && { AWS_CA_BUNDLE: undefined }),
    OTEL_TRACES_EXPORTER: 'none',
    ...(htpasswd && { REGISTRY_AUTH_HTPASSWD_REALM: 'bench', REGISTRY_AUTH_HTPASSWD_PATH: htpasswd }),
  }
  const program = spawn('docker-registry', ['serve', config], { stdio: 'ignore', env })
  const exited = once(program, 'exit')
  try {
    await ready(host)
    return await act(host, program.pid)
  } finally {
    program.kill('SIGKILL')
    await exited
  }
}

async function ready(host) {
  for (let attempt = 0; attempt < 200; attempt++) {
    const answer = await fetch(`http://${host}/v2/`).catch(() => undefined)
    if (answer?.ok || answer?.status === 401) return
    await new Promise(done => setTimeout(done, 50))
  }
  throw new Error('docker-registry did not start within ten seconds')
}
