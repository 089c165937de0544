import { createServer, request as openRequest } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

/** A forward proxy on a free loopback port that records its requests. */
export interface RunningProxy extends AsyncDisposable {
  readonly host: string
  readonly seen: { method: string; target: string; authorization: string | undefined; headers: object }[]
}

/**
 * Starts a proxy for http and, by CONNECT, https; it connects every host name to this machine. With `refuse` it answers
 * with that status instead.
 */
export async function startProxy(options: { refuse?: number; silent?: boolean } = {}): Promise<RunningProxy> {
  const seen: RunningProxy['seen'] = []
  const sockets = new Set<Socket>()
  const note = (method: string, target: string, headers: object) =>
    seen.push({ method, target, authorization: (headers as Record<string, string>)['proxy-authorization'], headers })
  const server = createServer((request, response) => {
    note(request.method!, request.url!, request.headers)
    if (options.refuse) return response.writeHead(options.refuse).end()
    const { port, pathname, search } = new URL(request.url!)
    const { method, headers } = request
    const to = openRequest(
      { host: '127.0.0.1', port, path: pathname + search, method, headers, agent: false },
      from => {
        response.writeHead(from.statusCode!, from.headers)
        from.pipe(response)
      },
    )
    return request.pipe(to)
  })
  server.on('connection', socket => sockets.add(socket.on('error', () => {})))
  server.on('connect', (request, socket, head) => {
    note('CONNECT', request.url!, request.headers)
    if (options.silent) return
    if (options.refuse) return socket.end(`HTTP/1.1 ${options.refuse} No\r\nContent-Length: 0\r\n\r\n`)
    const to = connect(Number(request.url!.split(':').at(-1)), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      to.write(head)
      socket.pipe(to).pipe(socket)
    })
    to.on('error', () => socket.destroy())
    sockets.add(to)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
