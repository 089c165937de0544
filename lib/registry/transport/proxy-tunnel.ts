import type { Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { RegistryError } from '../../errors/index.ts'
import { timeoutError } from '../../internal/http/timeout-error.ts'
import { shownUrl } from '../addresses/shown-url.ts'

/** Returns the headers that a proxy requires. They are sent to the proxy only. */
export function proxyHeaders(proxy: URL): Record<string, string> {
  if (proxy.username === '') return {}
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(pair, 'utf8').toString('base64')}` }
}

/**
 * Opens a TLS connection to a host through a proxy, which learns only the host's name and port.
 *
 * @throws `RegistryError` `ERR_NETWORK` if the proxy refuses.
 */
export async function openTunnel(proxy: URL, options: ConnectionOptions, connectMs: number): Promise<Socket> {
  const [socket, tls] = await Promise.all([connectThrough(proxy, options, connectMs), import('node:tls')])
  return new Promise((resolve, reject) => {
    const secured = tls.connect({ ...options, socket })
    const timer = setTimeout(() => secured.destroy(timeoutError('connection', connectMs)), connectMs)
    const fail = (error: Error) => {
      clearTimeout(timer)
      socket.destroy()
      reject(error)
    }
    secured.once('error', fail)
    secured.once('secureConnect', () => {
      clearTimeout(timer)
      secured.off('error', fail)
      resolve(secured)
    })
  })
}

async function connectThrough(proxy: URL, options: ConnectionOptions, connectMs: number): Promise<Socket> {
  const { request } = proxy.protocol === 'https:' ? await import('node:https') : await import('node:http')
  const host = String(options.host)
  const target = `${host.includes(':') ? `[${host}]` : host}:${options.port || 443}`
  return new Promise((resolve, reject) => {
    const call = request({
      method: 'CONNECT',
      host: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: proxy.port,
      path: target,
      headers: { host: target, ...proxyHeaders(proxy) },
      agent: false,
    })
    const timer = setTimeout(() => call.destroy(timeoutError('connection', connectMs)), connectMs)
    call.once('close', () => clearTimeout(timer))
    call.once('error', reject)
    call.once('response', answer => {
      call.destroy()
      reject(refusal(proxy, answer.statusCode))
    })
    call.once('connect', (answer, socket: Socket) => {
      clearTimeout(timer)
      if (answer.statusCode === 200) return resolve(socket)
      socket.destroy()
      reject(refusal(proxy, answer.statusCode))
    })
    call.end()
  })
}

function refusal(proxy: URL, status: number | undefined): RegistryError {
  const retryable = status !== undefined && status >= 500
  const details = { method: 'CONNECT', url: shownUrl(proxy), status, retryable }
  return new RegistryError('ERR_NETWORK', `proxy refused (${status})`, details)
}
