import { readFile } from 'node:fs/promises'
import type { HasherEngine } from '../../../digest/index.ts'
import { FormatError } from '../../../errors/index.ts'
import { parseReference } from '../../../oci/index.ts'
import type { ServePage } from '../../../server/index.ts'
import type { Store } from '../../../store/index.ts'
import { fileFault } from '../../failing/file-fault.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { readPem } from '../../registries/read-pem.ts'
import { ServeLog } from '../../serving/serve-log.ts'
import type { Session } from '../../session/session.ts'

/** Options of `serve`. */
export interface ServeOptions {
  readonly listen?: string
  readonly readOnly?: boolean
  readonly htpasswd?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly upstream?: string
  readonly log?: boolean
  readonly verify?: string
  readonly ui?: boolean
}

/** `serve`: serves the store as a registry until SIGINT or SIGTERM, then finishes the running requests. */
export async function serve(session: Session, options: ServeOptions): Promise<void> {
  const { allowHtpasswd, createRegistryServer } = await import('../../../server/index.ts')
  const { host, port } = parseListen(options.listen ?? '127.0.0.1:5000')
  const upstream = options.upstream === undefined ? undefined : registryName(options.upstream)
  const tls = tlsOf(options)
  const authorize = options.htpasswd === undefined ? undefined : await usersIn(options.htpasswd, allowHtpasswd)
  const log = new ServeLog(session, options.log ?? false)
  const store = await session.store()
  const pages = options.ui ? await pagesOf(store, session.hasher) : undefined
  const server = createRegistryServer(store, {
    pages,
    readOnly: options.readOnly ?? false,
    verify: verifyOf(options.verify),
    keepUploads: true,
    onRequest: event => log.request(event),
    onError: error => log.failure(error),
    ...(authorize ? { authorize } : {}),
    ...(upstream ? { upstream: { registry: upstream, client: await session.registry() } } : {}),
  })
  const address = await server.listen({ host, port, tls })
  if (!isLoopback(host) && !authorize) warnOfOpenDoor(log, options.readOnly ?? false, upstream)
  const ui = options.ui ? { ui: `${address.url}/` } : {}
  const lines = [`listening on ${address.url}`, ...(options.ui ? [`pages about the images at ${address.url}/`] : [])]
  session.result(lines, { url: address.url, host: address.host, port: address.port, ...ui })
  try {
    await stopped(session.signal)
  } finally {
    await server.close()
  }
}

function verifyOf(text = 'once'): 'once-per-process' | 'always' {
  if (text === 'always') return 'always'
  if (text === 'once') return 'once-per-process'
  throw new UsageError(`--verify takes once or always; got ${JSON.stringify(text)}`)
}

async function pagesOf(store: Store, hasher: HasherEngine): Promise<ServePage> {
  const { createReportPages } = await import('../../../inspect/index.ts')
  return createReportPages(store, { hasher })
}

/** Warns of what a server without authentication grants to every client that reaches it. */
function warnOfOpenDoor(log: ServeLog, readOnly: boolean, upstream: string | undefined): void {
  if (upstream !== undefined) {
    log.warning(
      `whoever reaches this address may read all of ${upstream} that this user may read, private images too, ` +
        'use up what it allows this user, and fill this disk: see --htpasswd',
    )
  } else if (!readOnly) log.warning('whoever reaches this address may push: see --htpasswd and --read-only')
}

function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:(\[[0-9a-fA-F:]+\]|[^:]*):)?(\d{1,5})$/.exec(text)
  const port = Number(match?.[2])
  if (!match || port > 65_535) {
    throw new UsageError(`--listen takes HOST:PORT or PORT, from 0 to 65535; got ${JSON.stringify(text)}`)
  }
  return { host: (match[1] || '127.0.0.1').replace(/^\[|\]$/g, ''), port }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

function registryName(text: string): string {
  try {
    const { registry } = parseReference(`${text}/x`)
    if (registry === text || text === 'index.docker.io') return registry
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
  }
  throw new UsageError(`--upstream takes a registry such as docker.io or 127.0.0.1:5000; got ${JSON.stringify(text)}`)
}

function tlsOf({ tlsCert, tlsKey }: ServeOptions): { cert: string; key: string } | undefined {
  if (tlsCert === undefined && tlsKey === undefined) return undefined
  if (tlsCert === undefined || tlsKey === undefined) throw new UsageError('--tls-cert and --tls-key belong together')
  return { cert: readPem(tlsCert, '--tls-cert'), key: readPem(tlsKey, '--tls-key') }
}

/** SAFETY: the message must not quote the file, which holds hashes of passwords. */
async function usersIn<T>(path: string, parse: (text: string) => T): Promise<T> {
  const text = await readText(path, '--htpasswd')
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    throw new UsageError(`--htpasswd ${JSON.stringify(path)}: ${error.message}`, { cause: error })
  }
}

async function readText(path: string, option: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw fileFault(option, path, error)
  }
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
