import { type AddressKind, addressKind, kindOfAddress } from './private-address.ts'

/** Resolves a host name to its addresses, like `lookup` of node:dns with `all`. */
export type HostLookup = (hostname: string) => Promise<
  readonly {
    /** IP address. */
    readonly address: string
    /** 4 or 6. */
    readonly family: number
  }[]
>

/** Range of addresses that a connection may go to; each scope includes those before it. */
export type AddressScope = 'public' | 'private' | 'loopback' | 'anywhere'

const ORDER: readonly (AddressScope | AddressKind)[] = ['public', 'private', 'loopback', 'link-local', 'anywhere']

/** True if a connection within the scope may go to an address of that kind. */
export function isWithin(kind: AddressKind, reach: AddressScope): boolean {
  return ORDER.indexOf(kind) <= ORDER.indexOf(reach)
}

/**
 * Determines the scope of the hosts that a registry may name: that of its own address. A registry on an intranet may
 * name intranet hosts; a registry on the internet may not. Link-local addresses, where clouds serve metadata, are never
 * included.
 */
export async function addressScopeOf(registry: URL, resolve: HostLookup): Promise<AddressScope> {
  const kinds = await kindsOf(registry.hostname, resolve)
  // SAFETY: a registry could add a private address to its name to widen its scope. If a name has several addresses, the
  // most public one decides.
  const nearest = Math.min(...kinds.map(kind => ORDER.indexOf(kind)))
  return nearest === 2 ? 'loopback' : nearest === 1 ? 'private' : 'public'
}

async function kindsOf(hostname: string, resolve: HostLookup): Promise<readonly AddressKind[]> {
  const isName = /[a-z]/i.test(hostname) && !hostname.startsWith('[')
  if (!isName || addressKind(hostname) !== 'public') return [addressKind(hostname)]
  try {
    const found = await resolve(hostname)
    return found.length > 0 ? found.map(({ address }) => kindOfAddress(address)) : ['public']
  } catch {
    // A proxy may resolve a name that this machine cannot; the narrowest scope is safe.
    return ['public']
  }
}
