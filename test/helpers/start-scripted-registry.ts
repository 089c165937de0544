import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** A request as the scripted registry saw it. */
export interface SeenRequest {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: IncomingMessage['headers']
}

/** Answers one request; `number` counts requests from 0. */
export type Script = (request: IncomingMessage, response: ServerResponse, number: number) => unknown

/** A server on a free loopback port that answers by a script of the test. */
export interface ScriptedRegistry extends AsyncDisposable {
  readonly host: string
  readonly seen: SeenRequest[]
  /** Open connections. */
  readonly connections: Set<Socket>
  stop(): Promise<void>
}

/** Starts a server that answers every request by the script. */
export async function startScriptedRegistry(script: Script): Promise<ScriptedRegistry> {
  const seen: SeenRequest[] = []
  const connections = new Set<Socket>()
  const server = createServer((request, response) => {
    const number = seen.length
    seen.push({ method: request.method!, path: request.url!, headers: request.headers })
    response.on('error', () => {})
    void script(request, response, number)
  })
  server.on('connection', socket => {
    connections.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => connections.delete(socket))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const stop = () =>
    new Promise<void>(resolve => {
      server.close(() => resolve())
      for (const socket of connections) socket.destroy()
    })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { host, seen, connections, stop, [Symbol.asyncDispose]: stop }
}
