import type { IncomingHttpHeaders } from 'node:http'
import type { RegistryFault } from './fault.ts'

/** The two origins of a faulty registry. */
export interface Origins {
  readonly registry: string
  readonly elsewhere: string
}

/** Builds an answer that needs no registry behind it; `undefined` if the fault is of another kind. */
export function readyAnswer(
  fault: RegistryFault | undefined,
  path: string,
  origins: Origins,
): { status: number; headers: Record<string, string>; body: string } | undefined {
  switch (fault?.kind) {
    case 'unauthorized':
      return refusal(401, 'UNAUTHORIZED', fault.challenge ? { 'www-authenticate': fault.challenge } : {})
    case 'too-many-requests': {
      const { retryAfter } = fault
      const after = retryAfter instanceof Date ? retryAfter.toUTCString() : retryAfter
      return refusal(429, 'TOOMANYREQUESTS', after === undefined ? {} : { 'retry-after': String(after) })
    }
    case 'lost-upload':
      return refusal(404, 'BLOB_UPLOAD_UNKNOWN', {})
    case 'redirect': {
      const location = fault.to ?? `http://${origins.elsewhere}${path}`
      return { status: fault.status ?? 307, headers: { location }, body: '' }
    }
    case 'answer':
      return { status: fault.status, headers: { ...fault.headers }, body: fault.body ?? '' }
    default:
      return undefined
  }
}

function refusal(status: number, code: string, headers: Record<string, string>) {
  const body = JSON.stringify({ errors: [{ code, message: 'on command' }] })
  return { status, headers: { 'content-type': 'application/json', ...headers }, body }
}

/** Returns the headers of the real registry's answer with the fault applied. */
export function answerHeaders(
  from: IncomingHttpHeaders,
  fault: RegistryFault | undefined,
  path: string,
  origins: Origins,
): Record<string, string | string[] | undefined> {
  const headers = { ...from }
  delete headers.connection
  delete headers['keep-alive']
  if (fault?.kind === 'wrong-content-range') headers['content-range'] = fault.value
  if (fault?.kind === 'wrong-digest-header') {
    headers['docker-content-digest'] = fault.value ?? `sha256:${'0'.repeat(64)}`
  }
  if (fault?.kind === 'link-loop') headers.link = `<${path}>; rel="next"`
  if (fault?.kind === 'short-body' && headers['content-length'] !== undefined) {
    headers['content-length'] = String(Math.max(0, Number(headers['content-length']) - fault.by))
  }
  if (fault?.kind === 'location') {
    const location = changedLocation(headers.location, fault.value, origins)
    if (location === undefined) delete headers.location
    else headers.location = location
  }
  return headers
}

function changedLocation(location: string | undefined, value: string, origins: Origins): string | undefined {
  if (location === undefined || value === 'none') return undefined
  const url = new URL(location, `http://${origins.registry}`)
  if (value === 'relative') return `${url.pathname}${url.search}`
  if (value === 'elsewhere') return `http://${origins.elsewhere}${url.pathname}${url.search}`
  return value
}
