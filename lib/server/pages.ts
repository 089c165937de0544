import { requireAccess } from './access/require-access.ts'
import type { Answer } from './answer.ts'
import type { Call } from './call.ts'
import { Fault } from './fault.ts'
import type { ServePage } from './serve-page.ts'

/** True for a path that the distribution protocol does not have. */
export function isPagePath(path: string): boolean {
  return !/^\/v2(?:\/|$)/.test(path)
}

/** Answers a request for a page. Throws {@link Fault} for other methods and unknown paths. */
export async function answerPage(call: Call, pages: ServePage): Promise<Answer> {
  const { request, path, query, signal } = call
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    throw new Fault(405, { code: 'UNSUPPORTED', message: 'pages can only be read' }, { Allow: 'GET, HEAD' })
  }
  await requireAccess(call, { kind: 'catalog' })
  const page = await pages({ path, query, signal })
  if (!page) throw new Fault(404, { code: 'UNSUPPORTED', message: 'no such page' })
  return page
}
