import { RegistryError } from '../../errors/index.ts'
import { type AddressScope, addressScopeOf, type HostLookup } from './address-scope.ts'
import { addressKind } from './private-address.ts'
import { shownUrl } from './shown-url.ts'

/** The request whose answer names another address. */
export interface AskedAddress {
  readonly method: string
  readonly url: URL
}

/** Where a registry may send us: token realms, redirects and upload locations all pass here. */
export interface UrlPolicy {
  /**
   * Gives the address that `text`, read relative to the address asked, stands for.
   *
   * @throws `RegistryError` `ERR_BLOCKED_URL`, which names the request and the address refused.
   */
  follow(text: string, asked: AskedAddress, what: string): URL

  /** What addresses the host of such a URL may stand for: any, if it is the registry's own or allowed by name. */
  reachOf(url: URL): Promise<AddressScope>
}

/**
 * The policy for one registry. Its own host and port may always be named. Elsewhere: http and https only, no user or
 * password, https unless the registry itself is reached without, and no loopback, private or link-local address unless
 * it is allowed by name or the registry is on a loopback address (then everything but link-local).
 *
 * SAFETY: a registry could otherwise make a build machine ask its internal services or its cloud's metadata service.
 * Names pass here; what they stand for is checked by {@link UrlPolicy.reachOf} and the look-up of the connection.
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
  // `URL.canParse` would do, but parsing twice is no gain.
  try {
    return new URL(text, from)
  } catch {
    return undefined
  }
}
