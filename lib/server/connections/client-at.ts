import { isIPv4, isIPv6 } from 'node:net'

/**
 * Key of a client for limits: its IPv4 address, or the first half of its IPv6 address.
 *
 * SAFETY: an IPv6 client usually owns a network of 2^64 addresses. With whole addresses as keys it could use a new one
 * for each request and evade every limit.
 */
export function clientAt(address: string | undefined): string {
  if (address === undefined) return ''
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined && isIPv4(mapped)) return mapped
  const [plain = ''] = address.split('%')
  return isIPv6(plain) ? `${firstHalf(plain)}::/64` : address
}

function firstHalf(address: string): string {
  const [head = '', tail = ''] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  const last = tail === '' ? [] : tail.split(':')
  // An IPv4 address at the end counts as two groups.
  const taken = groups.length + last.length + (last.at(-1)?.includes('.') ? 1 : 0)
  const zeros = address.includes('::') ? Array<string>(Math.max(0, 8 - taken)).fill('0') : []
  return [...groups, ...zeros, ...last]
    .slice(0, 4)
    .map(group => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':')
}
