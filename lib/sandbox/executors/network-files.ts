import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Host name that a process sees, as in the reference. */
export const HOST_NAME = 'buildkitsandbox'

/** Files of this machine that say which name servers there are. The second one has the real servers of systemd. */
const RESOLVER_FILES = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf']
const STUB_RESOLVER = '127.0.0.53'

/** Paths on this machine of files that a process sees under other names. */
export interface NetworkFiles {
  /** `/etc/hosts`. */
  readonly hosts: string
  /** `/etc/resolv.conf`. */
  readonly resolver: string
}

/** Writes the files that a process sees as `/etc/hosts` and `/etc/resolv.conf` to a directory. */
export async function writeNetworkFiles(directory: string): Promise<NetworkFiles> {
  const hosts = join(directory, 'hosts')
  await writeFile(hosts, `127.0.0.1\tlocalhost ${HOST_NAME}\n::1\tlocalhost ip6-localhost ip6-loopback\n`, {
    mode: 0o644,
  })
  const resolver = join(directory, 'resolv.conf')
  await writeFile(resolver, await resolverOfThisMachine(), { mode: 0o644 })
  return { hosts, resolver }
}

async function resolverOfThisMachine(): Promise<string> {
  const [first = '', real] = await Promise.all(
    RESOLVER_FILES.map(file => readFile(file, 'utf8').catch(() => undefined)),
  )
  const servers = first.match(/^nameserver\s+\S+/gm) ?? []
  const isStub = servers.length === 1 && servers[0]?.endsWith(STUB_RESOLVER)
  return isStub && real !== undefined ? real : first
}
