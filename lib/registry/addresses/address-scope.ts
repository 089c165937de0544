import { type AddressKind, addressKind, kindOfAddress } from './private-address.ts'

/** Finds the addresses of a host, like `lookup` of node:dns with `all`. */
export type HostLookup = (hostname: string) => Promise<
  readonly {
    /** The address. */
    readonly address: string
    /** 4 or 6. */
    readonly family: number
  }[]
>

/** How far from the open internet a connection may lead: each reach includes those before it. */
export type AddressScope = 'public' | 'private' | 'loopback' | 'anywhere'

const ORDER: readonly (AddressScope | AddressKind)[] = ['public', 'private', 'loopback', 'link-local', 'anywhere']

/** Whether an address of that kind may be connected to. */
export function isWithin(kind: AddressKind, reach: AddressScope): boolean {
  return ORDER.indexOf(kind) <= ORDER.indexOf(reach)
}

/**
 * How far a registry may send us: as far as it is away itself, so that an intranet works and a registry on the internet
 * cannot point at one. Link-local addresses, where clouds keep their metadata, are never included.
 */
export async function addressScopeOf(registry: URL, resolve: HostLookup): Promise<AddressScope> {
  const kinds = await kindsOf(registry.hostname, resolve)
  // SAFETY: of several addresses the most public one counts, or a name would widen its own reach by adding one.
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
    // A name that cannot be found here may still be found by a proxy; nothing follows from that.
    return ['public']
  }
}
