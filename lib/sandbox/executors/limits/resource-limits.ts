import { readFileSync } from 'node:fs'
import { SandboxError } from '../../../errors/index.ts'
import { requireSystemProgram } from '../process/find-system-program.ts'

/**
 * Resources that the kernel limits for each process, by their names in Docker, with the beginning of their lines in
 * `/proc/self/limits`. SPEC: getrlimit(2).
 */
const RESOURCES = {
  core: 'Max core file size',
  cpu: 'Max cpu time',
  data: 'Max data size',
  fsize: 'Max file size',
  locks: 'Max file locks',
  memlock: 'Max locked memory',
  msgqueue: 'Max msgqueue size',
  nice: 'Max nice priority',
  nofile: 'Max open files',
  nproc: 'Max processes',
  rss: 'Max resident set',
  rtprio: 'Max realtime priority',
  rttime: 'Max realtime timeout',
  sigpending: 'Max pending signals',
  stack: 'Max stack size',
} as const satisfies Readonly<Record<ResourceName, string>>

/** A resource that the kernel limits for each process, as `docker run --ulimit` names it. */
export type ResourceName =
  | 'core'
  | 'cpu'
  | 'data'
  | 'fsize'
  | 'locks'
  | 'memlock'
  | 'msgqueue'
  | 'nice'
  | 'nofile'
  | 'nproc'
  | 'rss'
  | 'rtprio'
  | 'rttime'
  | 'sigpending'
  | 'stack'

/** Limit of a resource of each process, in the unit of the kernel. */
export interface ResourceLimit {
  /** The resource. */
  readonly name: ResourceName
  /** The limit that counts; `'unlimited'` for none. */
  readonly soft: number | 'unlimited'
  /** The limit up to which a process may raise its own. */
  readonly hard: number | 'unlimited'
}

/**
 * Words in front of the program of a process that set its limits of resources. They come last: a limit on open files or
 * on sizes would act on the programs that isolate the process, too. What only root may raise was raised before.
 */
export function resourceWords(limits: readonly ResourceLimit[] = []): string[] {
  return limitWords(limits.map(({ name, soft, hard }) => `--${name}=${soft}:${hard}`))
}

/** Words in front of an isolating program that raise limits: inside, a process has no right to. */
export function raisingWords(limits: readonly ResourceLimit[] = []): string[] {
  const raised = limits.filter(({ name, hard }) => amount(hard) > amount(ownLimit(name)))
  // The soft limit stays as it is.
  return limitWords(raised.map(({ name, hard }) => `--${name}=:${hard}`))
}

function limitWords(options: readonly string[]): string[] {
  return options.length === 0 ? [] : [requireSystemProgram('prlimit', 'util-linux'), ...options, '--']
}

/** The same in the config of an OCI runtime. SPEC: runtime-spec, config.md#posix-process. */
export function runtimeLimits(limits: readonly ResourceLimit[]): object[] {
  const numberOf = (limit: number | 'unlimited') => (limit === 'unlimited' ? UNLIMITED : limit)
  const typeOf = (name: ResourceName) => `RLIMIT_${name.toUpperCase()}`
  return limits.map(({ name, soft, hard }) => ({ type: typeOf(name), soft: numberOf(soft), hard: numberOf(hard) }))
}

/** No number of JavaScript is RLIM_INFINITY, which is all bits: this text takes its place until the JSON is written. */
const UNLIMITED = 'RLIM_INFINITY'
const INFINITE = /"(soft|hard)":"RLIM_INFINITY"/g

/** The text of a config in which limits may be infinite. */
export function jsonWithLimits(config: object): string {
  return JSON.stringify(config).replace(INFINITE, '"$1":18446744073709551615')
}

/**
 * Rejects limits above those of this process, which only root may raise: the program that sets them would fail in the
 * place of the command.
 *
 * @throws {@link SandboxError} `ERR_SANDBOX_LIMIT`.
 */
export function assertResources(limits: readonly ResourceLimit[], isRoot: boolean): void {
  for (const { name, soft, hard } of limits) {
    if (amount(soft) > amount(hard)) throw refused(name, `its soft limit ${soft} is above its hard limit ${hard}`)
    const own = isRoot ? 'unlimited' : ownLimit(name)
    if (amount(hard) > amount(own)) throw refused(name, `${hard} is above ${own}, which only root may raise`)
  }
}

function amount(limit: number | 'unlimited'): number {
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : limit
}

function ownLimit(name: ResourceName): number | 'unlimited' {
  const line = readFileSync('/proc/self/limits', 'utf8')
    .split('\n')
    .find(text => text.startsWith(RESOURCES[name]))
  const hard = line?.slice(RESOURCES[name].length).trim().split(/\s+/)[1] ?? 'unlimited'
  return hard === 'unlimited' ? hard : Number(hard)
}

function refused(name: ResourceName, why: string): SandboxError {
  return new SandboxError('ERR_SANDBOX_LIMIT', `the limit of ${name} cannot be set: ${why}`)
}
