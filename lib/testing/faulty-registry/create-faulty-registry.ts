import { createServer, type IncomingMessage, request as openRequest, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRegistryServer } from '../../server/index.ts'
import { createMemoryStore, type Store } from '../../store/index.ts'
import { answerHeaders, type Origins, readyAnswer } from './answer-head.ts'
import { type FaultCondition, FaultPlan, type RegistryFault, type SeenByRegistry } from './fault.ts'
import { sendFaultyBody } from './send-body.ts'

/** Options of {@link createFaultyRegistry}. */
export interface FaultyRegistryOptions {
  /** Store to serve. @defaultValue a store in memory */
  readonly store?: Store | undefined
  /** Host and port of a local registry to forward requests to, instead of serving a store. */
  readonly upstream?: string | undefined
  /**
   * Authenticates each request to the registry (not those to the other origin). Returns the challenge for a refusal
   * with status 401; `undefined` accepts the request. @defaultValue accepts every request
   */
  readonly challenge?: ((request: SeenByRegistry) => string | undefined) | undefined
}

/** A registry that answers correctly except for the planned faults. */
export interface FaultyRegistry extends AsyncDisposable {
  /** Host and port, e.g. `127.0.0.1:40123`. */
  readonly host: string
  /**
   * Host and port of the other origin, which has the same content and requires no credentials. Redirects and upload
   * locations can lead to it.
   */
  readonly elsewhere: string
  /** All requests to both origins in order of arrival. */
  readonly seen: readonly SeenByRegistry[]
  /** Plans a fault for later requests. If several faults match a request, the first planned one is applied. */
  misbehave(fault: RegistryFault, condition?: FaultCondition): void
  /** Removes all faults that have not been applied yet. */
  behave(): void
  /** Closes all connections and stops the servers. Idempotent. */
  close(): Promise<void>
}

/**
 * Starts a registry on free loopback ports that misbehaves on command, for tests of clients. It forwards to a real
 * registry, so every answer without a planned fault is correct.
 *
 * ```ts
 * await using registry = await createFaultyRegistry({ store })
 * registry.misbehave({ kind: 'cut', after: 1000 }, { method: 'GET', path: /blobs/ })
 * ```
 */
export async function createFaultyRegistry(options: FaultyRegistryOptions = {}): Promise<FaultyRegistry> {
  const behind = options.upstream === undefined ? await serve(options.store ?? createMemoryStore()) : undefined
  const plan = new FaultPlan()
  const seen: SeenByRegistry[] = []
  const origins = { registry: '', elsewhere: '' }
  const context = { upstream: options.upstream ?? behind!.host, challenge: options.challenge, plan, seen, origins }
  const servers = [frontDoor(context, 'registry'), frontDoor(context, 'elsewhere')] as const
  origins.registry = await listen(servers[0])
  origins.elsewhere = await listen(servers[1])
  const close = async () => {
    await Promise.all(servers.map(stop))
    await behind?.close()
  }
  return {
    host: origins.registry,
    elsewhere: origins.elsewhere,
    seen,
    misbehave: (fault, condition = {}) => plan.add(fault, condition),
    behave: () => plan.clear(),
    close,
    [Symbol.asyncDispose]: close,
  }
}

interface Context {
  readonly upstream: string
  readonly challenge: FaultyRegistryOptions['challenge']
  readonly plan: FaultPlan
  readonly seen: SeenByRegistry[]
  readonly origins: Origins
}

async function serve(store: Store): Promise<{ host: string; close(): Promise<void> }> {
  const registry = createRegistryServer(store)
  const server = createServer(registry.handler)
  const host = await listen(server)
  const close = async () => {
    await stop(server)
    await registry.close()
  }
  return { host, close }
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

function stop(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

function frontDoor(context: Context, origin: SeenByRegistry['origin']): Server {
  return createServer((request, response) => {
    response.on('error', () => {})
    request.on('error', () => {})
    const seen: SeenByRegistry = {
      origin,
      method: request.method!,
      path: request.url!,
      authorization: request.headers.authorization,
      headers: request.headers,
      received: 0,
      sent: 0,
      fault: undefined,
    }
    context.seen.push(seen)
    answer(context, request, response, seen).catch(() => response.destroy())
  })
}

async function answer(
  context: Context,
  request: IncomingMessage,
  response: ServerResponse,
  seen: SeenByRegistry,
): Promise<void> {
  const challenge = seen.origin === 'registry' ? context.challenge?.(seen) : undefined
  const fault: RegistryFault | undefined =
    challenge === undefined ? context.plan.take(seen) : { kind: 'unauthorized', challenge }
  if (challenge === undefined) seen.fault = fault?.kind
  if (fault?.kind === 'lost-upload') await forward(context, request, seen, { method: 'DELETE', bodyless: true })
  const ready = readyAnswer(fault, seen.path, context.origins)
  if (ready) {
    request.on('data', (chunk: Buffer) => (seen.received += chunk.byteLength))
    response.writeHead(ready.status, { ...ready.headers, 'content-length': Buffer.byteLength(ready.body) })
    response.end(seen.method === 'HEAD' ? '' : ready.body)
    return
  }
  const from = await forward(context, request, seen, fault ? { fault } : {})
  if (fault?.kind === 'lost-answer' || !from) {
    from?.resume()
    request.socket.resetAndDestroy()
    return
  }
  response.writeHead(from.statusCode!, answerHeaders(from.headers, fault, seen.path, context.origins))
  await sendFaultyBody(response, shortened(from, fault), fault, bytes => (seen.sent += bytes))
}

async function* shortened(from: IncomingMessage, fault: RegistryFault | undefined): AsyncGenerator<Uint8Array> {
  let left = Number.POSITIVE_INFINITY
  if (fault?.kind === 'short-body') left = Number(from.headers['content-length'] ?? Number.POSITIVE_INFINITY) - fault.by
  for await (const chunk of from as AsyncIterable<Buffer>) {
    if (left > 0) yield chunk.subarray(0, left)
    left -= chunk.byteLength
  }
}

/** Forwards a request to the real registry; `undefined` if the fault breaks the connection before the answer. */
function forward(
  { upstream }: Context,
  request: IncomingMessage,
  seen: SeenByRegistry,
  { method, fault, bodyless }: { method?: string; fault?: RegistryFault; bodyless?: boolean },
): Promise<IncomingMessage | undefined> {
  const headers = { ...request.headers }
  if (fault?.kind === 'ignore-range') delete headers.range
  if (bodyless) delete headers['content-length']
  const [host, port] = upstream.split(':')
  const to = openRequest({ host, port, method: method ?? seen.method, path: seen.path, headers, agent: false })
  return new Promise((resolve, reject) => {
    to.once('error', error => (fault?.kind === 'cut-request' ? resolve(undefined) : reject(error)))
    to.once('response', resolve)
    if (bodyless) return void to.end()
    const limit = fault?.kind === 'cut-request' ? fault.after : Number.POSITIVE_INFINITY
    const cut = () => to.write('', () => setTimeout(() => to.destroy(new Error('on command')), 20))
    request.on('data', (chunk: Buffer) => {
      const part = chunk.subarray(0, limit - seen.received)
      seen.received += part.byteLength
      if (part.byteLength > 0 && !to.write(part)) {
        request.pause()
        to.once('drain', () => request.resume())
      }
      if (seen.received >= limit) {
        request.removeAllListeners('data').pause()
        cut()
      }
    })
    request.once('end', () => to.end())
    request.once('close', () => {
      if (!request.complete) to.destroy(new Error('the client left'))
    })
  })
}
