import { expect, test } from 'vitest'
import { resolverText } from '../../../lib/sandbox/executors/view/network-files.ts'

const stub = 'nameserver 127.0.0.53\noptions edns0\n'
const real = 'nameserver 10.0.0.1\nsearch corp\n'

test.each([
  ['the servers of this machine', real, undefined, 'default', real],
  ['the servers behind the stub of systemd', stub, real, 'default', real],
  ['the stub, if nothing is known behind it', stub, undefined, 'none', stub],
  ['no loopback servers', `nameserver 127.0.0.1\nnameserver ::1\n${real}`, undefined, 'default', real],
  ['loopback servers, if there are no others', 'nameserver ::1\n', real, 'default', 'nameserver ::1\n'],
  ['the file of this machine in its network', stub, real, 'host', stub],
] as const)('a process sees %s', (_, text, behind, network, expected) => {
  expect(resolverText(text, behind, network)).toBe(expected)
})
