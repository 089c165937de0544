import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'

/**
 * Runs an act with docker-registry on a free loopback port over a directory. The act gets `host:port` and the process
 * id. With `htpasswd` it lets in the users of that file.
 */
export async function withDockerRegistry(directory, act, { htpasswd } = {}) {
  const host = `127.0.0.1:${await freePort()}`
  const config = `${directory}/config.yml`
  mkdirSync(directory, { recursive: true })
  writeFileSync(config, 'version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem: {}\n')
  const env = {
    ...process.env,
    REGISTRY_HTTP_ADDR: host,
    REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: `${directory}/data`,
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

function freePort() {
  return new Promise((done, fail) => {
    const server = createServer().once('error', fail)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => done(port))
    })
  })
}

async function ready(host) {
  for (let attempt = 0; attempt < 200; attempt++) {
    const answer = await fetch(`http://${host}/v2/`).catch(() => undefined)
    if (answer?.ok || answer?.status === 401) return
    await new Promise(done => setTimeout(done, 50))
  }
  throw new Error('docker-registry did not start within ten seconds')
}
