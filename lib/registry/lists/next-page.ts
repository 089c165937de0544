import { RegistryError } from '../../errors/index.ts'
import { shownUrl } from '../addresses/shown-url.ts'

/**
 * Returns the URL of the next page from a `Link` header; `undefined` on the last page. A link without a relation counts
 * as the next page, as for skopeo: otherwise the list would end early.
 *
 * SAFETY: a registry could link to another host and receive the credentials of this one. The next page must be of the
 * same origin.
 *
 * @throws `RegistryError` `ERR_BLOCKED_URL`.
 * @see {@link https://www.rfc-editor.org/rfc/rfc8288 | RFC 8288: web linking}
 */
export function nextPage(header: string | undefined, page: URL): URL | undefined {
  const next = linksIn(header ?? '').find(({ relations }) => relations === undefined || relations.includes('next'))
  if (!next) return undefined
  const url = parse(next.target, page)
  // A registry behind a proxy that terminates TLS may not know that clients use https.
  if (url?.protocol === 'http:' && page.protocol === 'https:' && url.host === page.host) url.protocol = 'https:'
  if (url?.origin === page.origin && !url.username && !url.password) return url
  const target = url ? ` at ${shownUrl(url)}` : ''
  const details = { method: 'GET', url: shownUrl(page) }
  throw new RegistryError('ERR_BLOCKED_URL', `next page${target} refused: it is not at the same registry`, details)
}

interface Link {
  readonly target: string
  /** Relations in lower case; `undefined` if the link has none. */
  readonly relations: readonly string[] | undefined
}

function linksIn(header: string): readonly Link[] {
  const links = [...header.matchAll(/<([^>]*)>([^<]*)/g)]
  if (links.length > 0) return links.map(([, target, parameters]) => linkOf(target!, parameters!))
  const [target, ...parameters] = header.split(';')
  return target!.trim() === '' ? [] : [linkOf(target!.trim(), `;${parameters.join(';')}`)]
}

/** SPEC: `rel` is a list of relations separated by blanks; only the first `rel` counts (RFC 8288 section 3.3). */
function linkOf(target: string, parameters: string): Link {
  for (const [, name, quoted, plain] of parameters.matchAll(
    /;\s*([^\s=;,"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))/g,
  )) {
    if (name!.toLowerCase() !== 'rel') continue
    const relations = (quoted ?? plain ?? '').toLowerCase().split(/\s+/)
    return { target, relations }
  }
  return { target, relations: undefined }
}

function parse(text: string, base: URL): URL | undefined {
  try {
    return new URL(text, base)
  } catch {
    return undefined
  }
}
