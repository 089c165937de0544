import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/**
 * Runs an act with `layerstore serve` on a free loopback port over a store. The act gets `host:port` and the process
 * id. `env` has the credentials of a store in a bucket.
 */
export async function withLayerstoreServer(directory, act, { library, hasher, htpasswd, workers = 1, redirects, env }) {
  const program = spawn(
    process.execPath,
    [
      join(library, 'cli/main.js'),
      ...['--store', directory, '--hasher', hasher, '--json'],
      ...['serve', '--listen', '127.0.0.1:0', '--workers', String(workers)],
      ...(htpasswd ? ['--htpasswd', htpasswd] : []),
      ...(redirects ? ['--redirects'] : []),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } },
  )
  const exited = once(program, 'exit')
  try {
    return await act(await addressOf(program), program.pid)
  } finally {
    program.kill('SIGKILL')
    await exited
  }
}

/** The server says where it listens in its first JSON value, which may come in several lines. */
async function addressOf(program) {
  let text = ''
  for await (const chunk of program.stdout) {
    text += chunk
    const [, host] = /"host":\s*"([^"]+)"/.exec(text) ?? []
    const [, port] = /"port":\s*(\d+)/.exec(text) ?? []
    if (host && port) return `${host}:${port}`
  }
  throw new Error('the server ended before it listened')
}
