import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProcessSpec } from '../executor.ts'

/** Host name that a process sees unless another is given, as in the reference. */
export const HOST_NAME = 'buildkitsandbox'

/** Files of this machine that say which name servers there are. The second one has the real servers of systemd. */
const RESOLVER_FILES = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf']
const STUB_RESOLVER = '127.0.0.53'
const LOOPBACK = /^nameserver\s+(127\.|::1\s*$)/

/** Paths on this machine of files that a process sees under other names. */
export interface NetworkFiles {
  /** `/etc/hosts`. */
  readonly hosts: string
  /** `/etc/resolv.conf`. */
  readonly resolver: string
}

/** Writes the files that a process sees as `/etc/hosts` and `/etc/resolv.conf` to a directory. */
export async function writeNetworkFiles(
  directory: string,
  { hostname = HOST_NAME, extraHosts = [], network }: Pick<ProcessSpec, 'hostname' | 'extraHosts' | 'network'>,
): Promise<NetworkFiles> {
  const lines = [
    `127.0.0.1\tlocalhost ${hostname}`,
    '::1\tlocalhost ip6-localhost ip6-loopback',
    ...extraHosts.map(({ name, address }) => `${address}\t${name}`),
  ]
  const hosts = join(directory, 'hosts')
  await writeFile(hosts, `${lines.join('\n')}\n`, { mode: 0o644 })
  const resolver = join(directory, 'resolv.conf')
  const [first = '', real] = await Promise.all(
    RESOLVER_FILES.map(file => readFile(file, 'utf8').catch(() => undefined)),
  )
  await writeFile(resolver, resolverText(first, real, network), { mode: 0o644 })
  return { hosts, resolver }
}

/**
 * Text of `/etc/resolv.conf`: that of this machine, or the real servers behind the stub of systemd, without servers on
 * loopback addresses. If there are no others they stay: the network is that of this machine, so they answer.
 */
export function resolverText(text: string, behindStub: string | undefined, network: ProcessSpec['network']): string {
  if (network === 'host') return text
  const servers = text.match(/^nameserver\s+\S+/gm) ?? []
  const isStub = servers.length === 1 && servers[0]?.endsWith(STUB_RESOLVER)
  const whole = isStub && behindStub !== undefined ? behindStub : text
  const lines = whole.split('\n').filter(line => !LOOPBACK.test(line))
  return lines.some(line => line.startsWith('nameserver')) ? lines.join('\n') : whole
}
