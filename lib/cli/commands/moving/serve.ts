import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import type { HasherEngine } from '../../../digest/index.ts'
import { FormatError } from '../../../errors/index.ts'
import { parseReference } from '../../../oci/index.ts'
import {
  type Authorize,
  allowHtpasswd,
  createRegistryServer,
  type RegistryAddress,
  type RegistryUpstream,
  type ServePage,
} from '../../../server/index.ts'
import type { Store } from '../../../store/index.ts'
import { fileFault } from '../../failing/file-fault.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { readPem } from '../../registries/read-pem.ts'
import { ServeLog } from '../../serving/serve-log.ts'
import { serveWorkers } from '../../serving/serve-workers.ts'
import { type WorkerProcess, workerProcess } from '../../serving/worker-process.ts'
import type { Session } from '../../session/session.ts'
import { type PolicyOption, policyOf } from '../../signing/policy-of.ts'

/** Options of `serve`. */
export interface ServeOptions extends PolicyOption {
  readonly listen?: string
  readonly readOnly?: boolean
  readonly htpasswd?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly upstream?: string
  readonly log?: boolean
  readonly verify?: string
  readonly ui?: boolean
  readonly workers?: string
  readonly redirects?: boolean
}

/** Most worker processes by default: each takes 60 MB, and the network is full before eight of them are busy. */
const MOST_WORKERS = 4

/** Checked options of `serve`. */
interface Settings {
  readonly host: string
  readonly port: number
  readonly tls: { cert: string; key: string } | undefined
  readonly upstream: string | undefined
  readonly policy: string | undefined
  readonly authorize: Authorize | undefined
  readonly verify: 'once-per-process' | 'always'
  readonly readOnly: boolean
  readonly ui: boolean
  readonly redirects: boolean
}

/**
 * `serve`: serves the store as a registry until SIGINT or SIGTERM, then finishes the running requests. With several
 * workers this process starts them, and each of them runs this function too.
 */
export async function serve(session: Session, options: ServeOptions): Promise<void> {
  if (options.redirects && !session.isStoreShared) {
    const why = 'a directory has no addresses that clients could be sent to'
    throw new UsageError(`--redirects needs a store in a bucket, --store s3://BUCKET/PREFIX: ${why}`)
  }
  const settings = await settingsOf(options)
  const count = workersOf(options.workers, session.terminal.isProcess ?? false, settings.upstream !== undefined)
  const log = new ServeLog(session, options.log ?? false)
  using worker = await workerProcess(session.terminal.env)
  if (worker || count === 1) await serveHere(session, settings, log, worker)
  else await serveByWorkers(session, settings, log, count)
}

async function settingsOf(options: ServeOptions): Promise<Settings> {
  const { htpasswd, readOnly = false, ui = false, redirects = false, policy } = options
  if (policy && options.upstream === undefined)
    throw new UsageError('--policy is about images of an upstream registry: it needs --upstream')
  return {
    ...parseListen(options.listen ?? '127.0.0.1:5000'),
    upstream: options.upstream === undefined ? undefined : registryName(options.upstream),
    policy,
    tls: tlsOf(options),
    authorize: htpasswd === undefined ? undefined : await usersIn(htpasswd),
    verify: verifyOf(options.verify),
    readOnly,
    ui,
    redirects,
  }
}

function workersOf(text: string | undefined, isProcess: boolean, isMirror: boolean): number {
  // The workers of a mirror would each ask the registry.
  if (text === undefined) return isProcess && !isMirror ? Math.min(availableParallelism(), MOST_WORKERS) : 1
  const count = Number(text)
  if (!/^\d+$/.test(text) || count < 1 || count > 64) {
    throw new UsageError(`--workers takes a whole number from 1 to 64; got ${JSON.stringify(text)}`)
  }
  if (count === 1 || isProcess) return count
  throw new UsageError('--workers needs the layerstore program; a program that embeds it can start one process each')
}

async function serveByWorkers(session: Session, settings: Settings, log: ServeLog, count: number): Promise<void> {
  const code = await serveWorkers({
    count,
    signal: session.signal,
    onListening: ({ host, port }) => {
      const url = `${settings.tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`
      tellAddress(session, settings, log, { url, host, port, workers: count })
    },
    onNote: message => log.failure(new Error(message)),
  })
  if (code !== 0) session.exit = code === 2 ? 2 : 1
}

async function serveHere(
  session: Session,
  settings: Settings,
  log: ServeLog,
  worker: WorkerProcess | undefined,
): Promise<void> {
  const { host, port, tls, upstream, authorize, readOnly, verify, redirects, policy } = settings
  const store = await session.store()
  const server = createRegistryServer(store, {
    pages: settings.ui ? await pagesOf(store, session.hasher) : undefined,
    readOnly,
    verify,
    redirects,
    // Other machines serve the same bucket.
    shareUploads: session.isStoreShared,
    keepUploads: true,
    onRequest: event => log.request(event),
    onError: error => log.failure(error),
    peers: worker?.peers,
    ...(authorize ? { authorize } : {}),
    ...(upstream ? { upstream: await mirrored(session, upstream, policy) } : {}),
  })
  const address = await server.listen({ host, port, tls })
  if (!worker) tellAddress(session, settings, log, address)
  try {
    await stopped(worker ? AbortSignal.any([session.signal, worker.stop]) : session.signal)
  } finally {
    await server.close()
  }
}

/** The registry that is mirrored. Its images are verified if a policy is set. */
async function mirrored(session: Session, registry: string, policy: string | undefined): Promise<RegistryUpstream> {
  const verify = (await policyOf(session, { policy }))?.verifyAt
  return { registry, client: await session.registry(), verify }
}

/** Prints where the server listens, and what it grants there without authentication. */
function tellAddress(
  session: Session,
  { host: wanted, upstream, authorize, readOnly, ui }: Settings,
  log: ServeLog,
  { url, host, port, workers }: RegistryAddress & { readonly workers?: number },
): void {
  if (!isLoopback(wanted) && !authorize) warnOfOpenDoor(log, readOnly, upstream)
  const by = workers === undefined ? '' : ` with ${workers} workers`
  const lines = [`listening on ${url}${by}`, ...(ui ? [`pages about the images at ${url}/`] : [])]
  session.result(lines, { url, host, port, ...(ui && { ui: `${url}/` }), ...(workers !== undefined && { workers }) })
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
async function usersIn(path: string): Promise<Authorize> {
  const text = await readText(path, '--htpasswd')
  try {
    return allowHtpasswd(text)
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
