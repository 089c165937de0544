import { execFileSync, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

/** Namespaces of network, host name and processes, with one cable to this machine. */
export interface NetworkMachine extends AsyncDisposable {
  /** Address of this machine, as seen from the other one. */
  readonly here: string
  /** Address of the other machine, as seen from this one. */
  readonly there: string
  /** The command that runs another one there. */
  readonly inside: readonly [string, ...string[]]
}

/** Starts a machine under a host name of its own. Needs root, `ip`, `unshare` and `nsenter`. */
export async function startNetworkMachine(name: string): Promise<NetworkMachine> {
  // It lasts until its stdin ends.
  const options = ['--net', '--uts', '--pid', '--fork', '--kill-child', '--mount-proc']
  const script = `echo ${name} > /proc/sys/kernel/hostname; echo up; exec cat`
  const shell = spawn('unshare', [...options, 'sh', '-c', script], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(shell.stdout, 'data')
  const pid = readFileSync(`/proc/${shell.pid}/task/${shell.pid}/children`, 'utf8').trim()
  const net = `10.213.${randomInt(256)}.${4 * randomInt(64)}`
  const [here, there] = [1, 2].map(n => net.replace(/\d+$/, last => String(Number(last) + n))) as [string, string]
  const cable = `lst${pid}`
  const inside = ['nsenter', '-t', pid, '-n', '-u', '-p', '-m'] as const
  const ip = (...args: string[]) => execFileSync('ip', args)
  const ipThere = (...args: string[]) => execFileSync(inside[0], [...inside.slice(1), 'ip', ...args])
  ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pid)
  ip('addr', 'add', `${here}/30`, 'dev', cable)
  ip('link', 'set', cable, 'up')
  ipThere('addr', 'add', `${there}/30`, 'dev', 'eth0')
  for (const link of ['lo', 'eth0']) ipThere('link', 'set', link, 'up')
  return {
    ...{ here, there, inside },
    async [Symbol.asyncDispose]() {
      const ended = once(shell, 'close')
      shell.stdin.end()
      await ended
    },
  }
}
