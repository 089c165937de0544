import { Agent, createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * Faults of one request:
 * - `cut`: the connection ends before the request gets to the server.
 * - `lose`: the server carries the request out, but its answer is lost.
 * - `half`: the head of the answer and half of its body, then the connection ends.
 * - `half-written`: half of the body of the request gets to the server, then both connections end.
 * - `repeat`: the server gets the request twice; the second answer is passed on.
 * - `twice`: the answer is sent twice.
 * - `delay`: the answer comes late, after those of later requests.
 * - `hang`: no answer.
 * - a number: that status, from the proxy itself. With 503 the code is `SlowDown`.
 */
export type S3Fault = 'cut' | 'lose' | 'half' | 'half-written' | 'repeat' | 'twice' | 'delay' | 'hang' | number

/** A proxy in front of an S3 server that does harm on command. */
export interface S3Proxy extends AsyncDisposable {
  readonly endpoint: string
  /** Chooses the fault of each request; `undefined` for none. A request waits until it is chosen. */
  fault: (request: IncomingMessage) => S3Fault | undefined | Promise<S3Fault | undefined>
  /** Faults done. */
  readonly done: S3Fault[]
}

const DELAY_MS = 60

/** Starts the proxy. The host of signed requests is that of the server: it gets them as if the client had called it. */
export async function startS3Proxy(endpoint: string): Promise<S3Proxy> {
  const target = new URL(endpoint)
  const agent = new Agent({ keepAlive: true })
  const proxy = { fault: () => undefined, done: [] as S3Fault[] } as unknown as S3Proxy
  const server = createServer((request, response) => {
    void handle(proxy, { target, agent }, request, response).catch(() => response.destroy())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(proxy, {
    endpoint: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      agent.destroy()
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  })
}

interface Way {
  readonly target: URL
  readonly agent: Agent
}

async function handle(proxy: S3Proxy, way: Way, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const fault = await proxy.fault(request)
  if (fault !== undefined) proxy.done.push(fault)
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const body = Buffer.concat(chunks)
  if (fault === 'cut') return void response.destroy()
  if (fault === 'hang') return
  if (typeof fault === 'number') return refuse(response, fault)
  if (fault === 'half-written') {
    await halfOf(way, request, body)
    return void response.destroy()
  }
  if (fault === 'repeat') await pass(way, request, body)
  const { message, bytes } = await pass(way, request, body)
  if (fault === 'lose') return void response.destroy()
  if (fault === 'delay') await new Promise(resolve => setTimeout(resolve, DELAY_MS))
  if (fault === 'twice') twice(response, message, bytes)
  response.writeHead(message.statusCode!, message.headers)
  if (fault !== 'half') return void response.end(bytes)
  response.write(bytes.subarray(0, bytes.byteLength / 2), () => setTimeout(() => response.destroy(), 5))
}

function refuse(response: ServerResponse, status: number): void {
  const code = status === 503 ? '<Error><Code>SlowDown</Code><Message>slow down</Message></Error>' : ''
  response.writeHead(status, { date: new Date().toUTCString() }).end(code)
}

/** Sends the answer once more behind its end, as raw bytes. */
function twice(response: ServerResponse, message: IncomingMessage, bytes: Buffer): void {
  const { socket } = response
  const lines = Object.entries(message.headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `HTTP/1.1 ${message.statusCode} again\r\n${lines.join('')}\r\n`
  response.once('finish', () => socket?.write(Buffer.concat([Buffer.from(head), bytes])))
}

function pass({ target, agent }: Way, request: IncomingMessage, body: Buffer) {
  return new Promise<{ message: IncomingMessage; bytes: Buffer }>((resolve, reject) => {
    const { method, url, headers } = request
    const call = send({ host: target.hostname, port: target.port, method, path: url, headers, agent }, message => {
      const chunks: Buffer[] = []
      message.on('data', chunk => chunks.push(chunk))
      message.once('error', reject)
      message.once('end', () => resolve({ message, bytes: Buffer.concat(chunks) }))
    })
    call.once('error', reject)
    call.end(body)
  })
}

function halfOf({ target }: Way, request: IncomingMessage, body: Buffer): Promise<void> {
  return new Promise(resolve => {
    const { method, url, headers } = request
    const call = send({ host: target.hostname, port: target.port, method, path: url, headers, agent: false })
    call.once('error', () => {}).once('close', () => resolve())
    call.write(body.subarray(0, body.byteLength / 2), () => setTimeout(() => call.destroy(), 5))
  })
}
