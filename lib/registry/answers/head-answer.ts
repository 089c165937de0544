import type { WireAnswer } from '../transport/transport.ts'

/** Statuses that concern the client, whatever the method: authentication, a pause. */
const ABOUT_THE_CLIENT = [401, 408, 429]

/** True if the answer came from another URL than the requested one. */
export function isRedirected(answer: WireAnswer, asked: URL): boolean {
  return answer.url.href !== asked.href
}

/**
 * Accepts every answer to a HEAD after which a GET can still decide; the GET's answer then counts. Many registries and
 * proxies lack HEAD, and a redirect may lead to a URL that is signed for GET only (moby#50065).
 */
export function takesHead(asked: URL): (answer: WireAnswer) => boolean {
  return answer => isRedirected(answer, asked) || !ABOUT_THE_CLIENT.includes(answer.status)
}
