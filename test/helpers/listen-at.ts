import { closeSync, openSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { basename, dirname } from 'node:path'

/**
 * Makes a socket at a path and listens there. A socket's address holds some hundred bytes: a longer path is reached by
 * a descriptor of its directory.
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
