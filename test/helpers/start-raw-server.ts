import { type AddressInfo, createServer, type Socket } from 'node:net'

/** A server on a free loopback port that writes raw bytes, as no HTTP library does. */
export interface RawServer extends AsyncDisposable {
  readonly host: string
  readonly connections: Set<Socket>
  stop(): Promise<void>
}

/** Starts a server that passes every connection to `onConnection`. */
export async function startRawServer(onConnection: (socket: Socket) => void): Promise<RawServer> {
  const connections = new Set<Socket>()
  const server = createServer(socket => {
    connections.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => connections.delete(socket))
    // An unread socket never reports that the peer has disconnected.
    socket.resume()
    onConnection(socket)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const stop = () =>
    new Promise<void>(resolve => {
      server.close(() => resolve())
      for (const socket of connections) socket.destroy()
    })
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, connections, stop, [Symbol.asyncDispose]: stop }
}
