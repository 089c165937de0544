import type { Socket } from 'node:net'
import type { Writable } from 'node:stream'

/** Resolves when a request of node:http has a connection, including its TLS handshake. */
export function untilConnected(call: Writable): Promise<void> {
  return new Promise(resolve => {
    call.once('socket', (socket: Socket) => {
      if (!socket.connecting) resolve()
      else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => resolve())
    })
  })
}
