import { RegistryError } from '../../errors/index.ts'
import { shownUrl } from '../addresses/shown-url.ts'

/**
 * The address of the next page by a `Link` header; `undefined` at the end.
 *
 * SAFETY: only at the origin of the page itself, which is the only one that this list belongs to.
 *
 * @throws `RegistryError` `ERR_BLOCKED_URL`.
 * @see {@link https://www.rfc-editor.org/rfc/rfc8288 | RFC 8288: web linking}
 */
export function nextPage(header: string | undefined, page: URL): URL | undefined {
  for (const [, target, parameters] of (header ?? '').matchAll(/<([^>]*)>([^<]*)/g)) {
    if (!/;\s*rel\s*=\s*"?next"?\s*(;|,|$)/i.test(parameters!)) continue
    const url = parse(target!, page)
    if (url?.origin === page.origin && !url.username && !url.password) return url
    const details = { method: 'GET', url: shownUrl(url ?? page) }
    throw new RegistryError('ERR_BLOCKED_URL', 'next page refused: it is not at the same registry', details)
  }
  return undefined
}

function parse(text: string, base: URL): URL | undefined {
  try {
    return new URL(text, base)
  } catch {
    return undefined
  }
}
