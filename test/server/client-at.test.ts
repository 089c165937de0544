import { expect, test } from 'vitest'
import { clientAt } from '../../lib/server/connections/client-at.ts'

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:0:1:2:3:4:5', '2001:db8:0:1::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:DB8:00a::1', '2001:db8:a:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  [undefined, ''],
])('the key of a client is its IPv4 address or its IPv6 network: %s', (address, client) => {
  expect(clientAt(address)).toBe(client)
})
