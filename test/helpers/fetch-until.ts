import { setTimeout as sleep } from 'node:timers/promises'

/** Longest time for which a busy service is asked again. */
const MOST_MS = 60_000

/**
 * Sends a request until the answer is that of the service to it: a busy engine answers 5xx at times, or breaks the
 * connection. Resolves to the last answer.
 *
 * @param request - Its headers may be made anew for each try.
 */
export async function fetchUntil(
  url: string | URL,
  request: Omit<RequestInit, 'headers'> & {
    readonly headers?: Record<string, string> | (() => Record<string, string>)
  } = {},
): Promise<Response> {
  for (const end = Date.now() + MOST_MS; ; await sleep(100)) {
    const headers = typeof request.headers === 'function' ? request.headers() : (request.headers ?? {})
    try {
      const answer = await fetch(url, { ...request, headers })
      if (answer.status < 500 || Date.now() > end) return answer
      await answer.arrayBuffer()
    } catch (error) {
      if (Date.now() > end) throw error
    }
  }
}
