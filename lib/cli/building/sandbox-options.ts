import { isIP } from 'node:net'
import type { ExecutorName, ExtraHost, ProcessLimits, ResourceLimit, ResourceName } from '../../sandbox/index.ts'
import { parseAmount } from '../amounts/parse-amount.ts'
import { UsageError } from '../failing/usage-error.ts'
import type { BuildCommandOptions } from './build-options.ts'

const EXECUTORS: Readonly<Record<string, ExecutorName>> = {
  bwrap: 'bubblewrap',
  bubblewrap: 'bubblewrap',
  runc: 'runc',
  chroot: 'chroot',
}

/** As in Docker. */
const RESOURCES: readonly ResourceName[] = [
  ...(['core', 'cpu', 'data', 'fsize', 'locks', 'memlock', 'msgqueue', 'nice'] as const),
  ...(['nofile', 'nproc', 'rss', 'rtprio', 'rttime', 'sigpending', 'stack'] as const),
]

/** Executor of `--sandbox bwrap|runc|chroot`; `undefined` if it is not given. */
export function executorOf(option: string | undefined): ExecutorName | undefined {
  if (option === undefined) return undefined
  const name = Object.hasOwn(EXECUTORS, option) ? EXECUTORS[option] : undefined
  if (name) return name
  throw new UsageError(`--sandbox takes bwrap, runc or chroot; got ${JSON.stringify(option)}`)
}

/** Limits of `--memory SIZE`, `--pids-limit N`, `--step-timeout TIME` and `--ulimit NAME=SOFT[:HARD]`. */
export function limitsOf({
  memory,
  pidsLimit,
  stepTimeout,
  ulimit,
}: Pick<BuildCommandOptions, 'memory' | 'pidsLimit' | 'stepTimeout' | 'ulimit'>): ProcessLimits {
  return {
    ...(memory !== undefined && { memory: positive('--memory', memory, 'bytes') }),
    ...(pidsLimit !== undefined && { processes: positive('--pids-limit', pidsLimit, 'count') }),
    ...(stepTimeout !== undefined && { seconds: positive('--step-timeout', stepTimeout, 'time') / 1000 }),
    ...(ulimit !== undefined && { resources: ulimit.map(resourceLimitOf) }),
  }
}

/** SPEC: docker run, `--ulimit NAME=SOFT[:HARD]`; -1 is no limit, and one number is both. */
function resourceLimitOf(text: string): ResourceLimit {
  const [, word = '', soft, hard = soft] = /^([a-z]+)=(-1|\d{1,15})(?::(-1|\d{1,15}))?$/.exec(text) ?? []
  const name = RESOURCES.find(known => known === word)
  if (name === undefined || soft === undefined) {
    const names = RESOURCES.join(', ')
    throw new UsageError(`--ulimit takes NAME=SOFT[:HARD] with one of ${names}; got ${JSON.stringify(text)}`)
  }
  const limitOf = (number = '-1'): ResourceLimit['soft'] => (number === '-1' ? 'unlimited' : Number(number))
  const [lower, upper] = [limitOf(soft), limitOf(hard)]
  if (upper !== 'unlimited' && (lower === 'unlimited' || lower > upper)) {
    throw new UsageError(`--ulimit ${text}: the soft limit is above the hard one`)
  }
  return { name, soft: lower, hard: upper }
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
