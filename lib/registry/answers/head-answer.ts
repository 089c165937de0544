import type { WireAnswer } from '../transport/transport.ts'

/** These are about the client, whatever the method: a log-in, a pause. */
const ABOUT_THE_CLIENT = [401, 408, 429]

/** Whether an answer came from another address than the one asked. */
export function isRedirected(answer: WireAnswer, asked: URL): boolean {
  return answer.url.href !== asked.href
}

/**
 * Which answers to a HEAD are taken: all that leave the question to a GET, whose own answer then counts. HEAD is optional
 * in many registries and proxies, and a redirect may lead to an address that is signed for GET only (moby#50065).
 */
export function takesHead(asked: URL): (answer: WireAnswer) => boolean {
  return answer => isRedirected(answer, asked) || !ABOUT_THE_CLIENT.includes(answer.status)
}
