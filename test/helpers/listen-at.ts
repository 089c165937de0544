import { closeSync, openSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { basename, dirname } from 'node:path'

/**
 * Creates a socket at a path and listens on it. A socket address holds about 100 bytes: a longer path is reached
 * through a descriptor of its directory.
 */
export async function listenAt(path: string): Promise<Server> {
  const isLong = process.platform === 'linux' && Buffer.byteLength(path) > 100
  const directory = isLong ? openSync(dirname(path), 'r') : undefined
  const server = createServer()
  try {
    const address = directory === undefined ? path : `/proc/self/fd/${directory}/${basename(path)}`
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(address, resolve))
  } finally {
    if (directory !== undefined) closeSync(directory)
  }
  return server
}
