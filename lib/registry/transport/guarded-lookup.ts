import type { LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { type AddressScope, type HostLookup, isWithin } from '../addresses/address-scope.ts'
import { kindOfAddress } from '../addresses/private-address.ts'

/**
 * The look-up of a connection that may only go to addresses within `reach`.
 *
 * SAFETY: the addresses that are checked are those that are connected to, so a name that changes its mind in between
 * gains nothing; one forbidden address among several is enough to refuse, since any of them may be chosen.
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

/** The system's look-up, as `HostLookup`. */
export async function systemLookup(hostname: string): Promise<readonly LookupAddress[]> {
  const { lookup } = await import('node:dns/promises')
  return lookup(hostname, { all: true })
}

function unknownHost(hostname: string): Error {
  return Object.assign(new Error(`no address for ${hostname}`), { code: 'ENOTFOUND', syscall: 'getaddrinfo' })
}

/** Only the caller knows which request this was for: `networkError` names it. */
function blocked(hostname: string): Error {
  return Object.assign(new Error(`the name ${hostname} stands for a private address`), { code: 'ERR_BLOCKED_URL' })
}
