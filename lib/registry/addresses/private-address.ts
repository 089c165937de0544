/** Kind of a host literal, as {@link createUrlPolicy} distinguishes them. */
export type AddressKind = 'public' | 'loopback' | 'private' | 'link-local'

/**
 * Returns the kind of a URL's host. Takes `url.hostname`, in which `URL` has normalised decimal, octal and Unicode
 * spellings of addresses. A name counts as public, except `localhost`.
 */
export function addressKind(hostname: string): AddressKind {
  const host = hostname.toLowerCase().replace(/\.$/, '')
  if (host === 'localhost' || host.endsWith('.localhost')) return 'loopback'
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) return kindOfV4(host.split('.').map(Number))
  if (host.startsWith('[')) return kindOfV6(groupsOf(host.slice(1, -1)))
  return 'public'
}

/** Returns the kind of an address as a look-up returns it: IPv6 without brackets, perhaps with a zone. */
export function kindOfAddress(address: string): AddressKind {
  const plain = address.replace(/%.*$/, '')
  return addressKind(plain.includes(':') ? new URL(`http://[${plain}]/`).hostname : plain)
}

function kindOfV4([a = 0, b = 0]: readonly number[]): AddressKind {
  if (a === 127 || a === 0) return 'loopback'
  if (a === 169 && b === 254) return 'link-local'
  const isPrivate = a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168)
  const isShared = (a === 100 && b >= 64 && b < 128) || (a === 198 && (b === 18 || b === 19))
  const isSpecial = (a === 192 && b === 0) || a >= 224
  return isPrivate || isShared || isSpecial ? 'private' : 'public'
}

function kindOfV6(groups: readonly number[]): AddressKind {
  const [a = 0, b = 0] = groups
  const low = groups.slice(6)
  const startsWithZeros = (count: number) => groups.slice(0, count).every(group => group === 0)
  if (startsWithZeros(7) && low[1]! <= 1) return 'loopback'
  // SAFETY: a connection to an IPv4 address inside an IPv6 one (mapped, compatible, NAT64, 6to4) reaches the IPv4
  // address, so that address decides.
  const mapped = startsWithZeros(5) && groups[5] === 0xffff
  if (mapped || startsWithZeros(6) || (a === 0x64 && b === 0xff9b)) return kindOfV4(bytesOf(low))
  if (a === 0x2002) return kindOfV4(bytesOf(groups.slice(1, 3)))
  // SAFETY: fd00:ec2::254 is the metadata service of AWS over IPv6, as 169.254.169.254 is over IPv4.
  if ((a & 0xffc0) === 0xfe80 || (a === 0xfd00 && b === 0xec2)) return 'link-local'
  return (a & 0xfe00) === 0xfc00 || (a & 0xff00) === 0xff00 || (a & 0xffc0) === 0xfec0 ? 'private' : 'public'
}

/** Returns the eight groups of an IPv6 address in the form of `URL`, which has no dotted part. */
function groupsOf(address: string): readonly number[] {
  const [head = '', tail] = address.split('::')
  const parse = (part: string) => (part === '' ? [] : part.split(':').map(group => Number.parseInt(group, 16)))
  if (tail === undefined) return parse(head)
  const [before, after] = [parse(head), parse(tail)]
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after]
}

function bytesOf(groups: readonly number[]): readonly number[] {
  return groups.flatMap(group => [group >> 8, group & 0xff])
}
