import { type FileHandle, open } from 'node:fs/promises'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { basename, dirname } from 'node:path'
import type { FileAttributes, StackFiles } from '../../../sandbox/index.ts'

/**
 * Listens at a path and forwards every connection to the socket of an ssh agent, until it is disposed. The socket of
 * the agent belongs to the user of this machine; the user of a step may be another one.
 */
export async function forwardAgent(
  agent: string,
  path: string,
  files: Pick<StackFiles, 'change'>,
  attributes: FileAttributes,
): Promise<AsyncDisposable> {
  const open = new Set<Socket>()
  // One side may say its last before the other has answered.
  const server = createServer({ allowHalfOpen: true }, step => {
    const far = createConnection({ path: agent, allowHalfOpen: true })
    for (const [one, other] of [
      [step, far],
      [far, step],
    ] as const) {
      open.add(one)
      one.pipe(other)
      // An end that fails ends the other; the program of the step reports it.
      one.on('error', () => other.destroy())
      one.on('close', () => open.delete(one))
    }
  })
  await listenAt(server, path)
  await files.change(path, attributes)
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      await new Promise<void>(resolve => server.close(() => resolve()))
    },
  }
}

/** SPEC: unix(7): the path of a socket has at most 107 bytes; one that leads through an open directory is short. */
async function listenAt(server: Server, path: string): Promise<void> {
  let directory: FileHandle | undefined
  try {
    const isShort = Buffer.byteLength(path) < 108
    if (!isShort) directory = await open(dirname(path), 'r')
    const place = directory ? `/proc/self/fd/${directory.fd}/${basename(path)}` : path
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(place, () => resolve())
    })
  } finally {
    await directory?.close()
  }
}
