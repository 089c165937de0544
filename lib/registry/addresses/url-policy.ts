import { RegistryError } from '../../errors/index.ts'
import { type AddressScope, addressScopeOf, type HostLookup } from './address-scope.ts'
import { addressKind } from './private-address.ts'
import { shownUrl } from './shown-url.ts'

/** The request whose answer names another URL. */
export interface AskedAddress {
  readonly method: string
  readonly url: URL
}

/** Decides which URLs a registry may name in token realms, redirects and upload locations. */
export interface UrlPolicy {
  /**
   * Resolves `text` relative to the requested URL and returns the result if it is allowed.
   *
   * @throws `RegistryError` `ERR_BLOCKED_URL`, which names the request and the refused URL.
   */
  follow(text: string, asked: AskedAddress, what: string): URL

  /**
   * Scope of the addresses that the URL's host may resolve to: `anywhere` for the registry's own host and
   * `allowedHosts`.
   */
  reachOf(url: URL): Promise<AddressScope>
}

/**
 * Creates the policy of one registry. The registry may always name its own host and port. Another URL must be http or
 * https, without user or password, and https unless the registry itself is reached without TLS. It must not be a
 * loopback, private or link-local address unless `allowedHosts` lists the host or the registry is on a loopback address
 * (then only link-local is refused).
 *
 * SAFETY: a registry could otherwise make a build machine send requests to its internal services or its cloud's
 * metadata service (SSRF). This check sees literal addresses only: {@link UrlPolicy.reachOf} and the look-up of the
 * connection check what a name resolves to.
 */
export function createUrlPolicy(
  registry: URL,
  allowedHosts: readonly string[] = [],
  lookup: HostLookup = async () => [],
): UrlPolicy {
  let reach: Promise<AddressScope> | undefined
  const kind = addressKind(registry.hostname)
  const isAllowed = (url: URL) =>
    url.host === registry.host || allowedHosts.includes(url.host) || allowedHosts.includes(url.hostname)
  const isReachable = (url: URL) => {
    const target = addressKind(url.hostname)
    return target === 'public' || (kind === 'loopback' && target !== 'link-local')
  }
  return {
    async reachOf(url) {
      if (isAllowed(url)) return 'anywhere'
      reach ??= addressScopeOf(registry, lookup)
      return reach
    },
    follow(text, { method, url: from }, what) {
      const url = parse(text, from)
      const refuse = (why: string): never => {
        const target = url ? `${what} to ${shownUrl(url)}` : what
        throw new RegistryError('ERR_BLOCKED_URL', `${target} refused: ${why}`, { method, url: shownUrl(from) })
      }
      if (!url) return refuse('not a URL')
      if (url.protocol !== 'https:' && url.protocol !== 'http:') return refuse('neither http nor https')
      if (url.username || url.password) return refuse('it holds a user or password')
      if (url.protocol === 'http:' && (from.protocol === 'https:' || registry.protocol === 'https:')) {
        return refuse('http, but the registry is reached by https')
      }
      if (!isAllowed(url) && !isReachable(url)) return refuse('a private address')
      url.hash = ''
      return url
    },
  }
}

function parse(text: string, from: URL): URL | undefined {
  // `URL.canParse` would parse a second time.
  try {
    return new URL(text, from)
  } catch {
    return undefined
  }
}
