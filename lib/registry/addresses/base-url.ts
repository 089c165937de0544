import { FormatError } from '../../errors/index.ts'
import { addressKind } from './private-address.ts'

/** Hosts to which a setting applies, or a function that returns `undefined` for the default. */
export type HostRule = readonly string[] | ((registry: string) => boolean | undefined)

/** References name Docker Hub `docker.io`, but another host serves it. */
const DOCKER_HUB = { name: 'docker.io', host: 'registry-1.docker.io' }

/**
 * Returns the base URL of a registry that is named as in references. Loopback hosts are reached without TLS unless the
 * rule says no.
 *
 * @throws `FormatError` `ERR_INVALID_REFERENCE` if the name is not a host with an optional port.
 */
export function baseUrl(registry: string, plainHttp: HostRule | undefined): URL {
  const host = registry === DOCKER_HUB.name ? DOCKER_HUB.host : registry
  // SAFETY: other characters in the name would become a path, a user or a query of the URL, and lead to another host.
  const url = /^[A-Za-z0-9.:[\]-]+$/.test(host) ? parse(`https://${host}/`) : undefined
  if (!url) throw new FormatError('ERR_INVALID_REFERENCE', `not a registry: ${JSON.stringify(registry.slice(0, 160))}`)
  const plain = matchesHost(plainHttp, registry) ?? addressKind(url.hostname) === 'loopback'
  // Setting `protocol` would drop a port that is the default of the other protocol.
  return plain ? new URL(`http://${host}/`) : url
}

/** True if two names refer to the same registry. */
export function isSameRegistry(one: string, other: string): boolean {
  const plain = (name: string) => {
    const lower = name.trim().toLowerCase()
    return [DOCKER_HUB.host, 'index.docker.io'].includes(lower) ? DOCKER_HUB.name : lower
  }
  return plain(one) === plain(other)
}

/** Applies the rule to a registry. */
export function matchesHost(rule: HostRule | undefined, registry: string): boolean | undefined {
  if (typeof rule === 'function') return rule(registry)
  return rule?.includes(registry) ? true : undefined
}

function parse(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}
