import type { Session } from '../session.ts'
import { UsageError } from '../usage-error.ts'

/** Options of `serve`. */
export interface ServeOptions {
  readonly listen?: string
  readonly readOnly?: boolean
}

/** `serve`: offers the store as a registry until it is stopped. */
export async function serve(session: Session, options: ServeOptions): Promise<void> {
  const { createRegistryServer } = await import('../../server/index.ts')
  const { host, port } = parseListen(options.listen ?? '127.0.0.1:5000')
  const server = createRegistryServer(await session.store(), { readOnly: options.readOnly ?? false })
  const address = await server.listen({ host, port })
  session.result(`listening on ${address.url}`, { url: address.url, host: address.host, port: address.port })
  try {
    await stopped(session.signal)
  } finally {
    await server.close()
  }
}

function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:(\[[0-9a-fA-F:]+\]|[^:]*):)?(\d{1,5})$/.exec(text)
  const port = Number(match?.[2])
  if (!match || port > 65_535) throw new UsageError(`--listen takes HOST:PORT, not ${JSON.stringify(text)}`)
  return { host: (match[1] || '127.0.0.1').replace(/^\[|\]$/g, ''), port }
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
