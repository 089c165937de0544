import { isIP } from 'node:net'
import type { ExecutorName, ExtraHost, ProcessLimits } from '../../sandbox/index.ts'
import { parseAmount } from '../arguments/parse-amount.ts'
import { UsageError } from '../failing/usage-error.ts'
import type { BuildCommandOptions } from './build-options.ts'

const EXECUTORS: Readonly<Record<string, ExecutorName>> = {
  bwrap: 'bubblewrap',
  bubblewrap: 'bubblewrap',
  runc: 'runc',
  chroot: 'chroot',
}

/** Executor of `--sandbox bwrap|runc|chroot`; `undefined` if it is not given. */
export function executorOf(option: string | undefined): ExecutorName | undefined {
  if (option === undefined) return undefined
  const name = Object.hasOwn(EXECUTORS, option) ? EXECUTORS[option] : undefined
  if (name) return name
  throw new UsageError(`--sandbox takes bwrap, runc or chroot; got ${JSON.stringify(option)}`)
}

/** Limits of `--memory SIZE`, `--pids-limit N` and `--step-timeout TIME`. */
export function limitsOf({
  memory,
  pidsLimit,
  stepTimeout,
}: Pick<BuildCommandOptions, 'memory' | 'pidsLimit' | 'stepTimeout'>): ProcessLimits {
  return {
    ...(memory !== undefined && { memory: positive('--memory', memory, 'bytes') }),
    ...(pidsLimit !== undefined && { processes: positive('--pids-limit', pidsLimit, 'count') }),
    ...(stepTimeout !== undefined && { seconds: positive('--step-timeout', stepTimeout, 'time') / 1000 }),
  }
}

function positive(option: string, text: string, kind: Parameters<typeof parseAmount>[2]): number {
  const amount = parseAmount(option, text, kind)
  if (amount > 0) return amount
  throw new UsageError(`${option} takes more than 0; got ${JSON.stringify(text)}`)
}

/** Hosts of `--add-host NAME:ADDRESS` or `NAME=ADDRESS`. */
export function extraHostsOf(options: readonly string[] = []): ExtraHost[] {
  return options.map(option => {
    const [, name = '', address = ''] = /^([^:=\s]+)[:=]\[?([^\s\]]+)\]?$/.exec(option) ?? []
    if (isIP(address) === 0) throw new UsageError(`--add-host takes NAME:ADDRESS; got ${JSON.stringify(option)}`)
    return { name, address }
  })
}
