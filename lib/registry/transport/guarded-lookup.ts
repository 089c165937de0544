import type { LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { type AddressScope, type HostLookup, isWithin } from '../addresses/address-scope.ts'
import { kindOfAddress } from '../addresses/private-address.ts'

/**
 * Creates the look-up function of a connection that may only go to addresses within `reach`.
 *
 * SAFETY: a host name can resolve to a public address when checked and to a private one when connected (DNS rebinding).
 * The connection uses exactly the addresses that were checked here. One forbidden address among several refuses the
 * name, since the connection may choose any of them.
 */
export function guardedLookup(resolve: HostLookup, reach: AddressScope): LookupFunction {
  return (hostname, options, callback) => {
    const answer = callback as (error: Error | null, address?: string | LookupAddress[], family?: number) => void
    resolve(hostname).then(
      found => {
        const addresses = options.family ? found.filter(({ family }) => family === options.family) : found
        const [first] = addresses
        if (!first) return answer(unknownHost(hostname))
        if (!addresses.every(({ address }) => isWithin(kindOfAddress(address), reach))) return answer(blocked(hostname))
        if (options.all) answer(null, addresses as LookupAddress[])
        else answer(null, first.address, first.family)
      },
      (error: Error) => answer(error),
    )
  }
}

/** The system's look-up as a {@link HostLookup}. */
export async function systemLookup(hostname: string): Promise<readonly LookupAddress[]> {
  const { lookup } = await import('node:dns/promises')
  return lookup(hostname, { all: true })
}

function unknownHost(hostname: string): Error {
  return Object.assign(new Error(`no address for ${hostname}`), { code: 'ENOTFOUND', syscall: 'getaddrinfo' })
}

/** The look-up does not know the request; `networkError` adds its method and URL. */
function blocked(hostname: string): Error {
  return Object.assign(new Error(`the name ${hostname} resolves to a private address`), { code: 'ERR_BLOCKED_URL' })
}
