import { readFileSync } from 'node:fs'
import { arch, availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'

/** Machine and state in which figures were measured. */
export interface Machine {
  /** Time of the measurement, ISO 8601. */
  readonly date: string
  readonly cpu: string
  readonly cores: number
  readonly architecture: string
  /** Whether the processor has instructions for SHA-256; `undefined` if the system does not tell. */
  readonly shaInstructions?: boolean
  readonly memoryBytes: number
  readonly system: string
  readonly node: string
  /** Processes that wanted to run in the last minute, before the measurement. */
  readonly load: number
}

/** Describes this machine. Call it before measuring: the measurement itself is a load. */
export function describeMachine(): Machine {
  const sha = shaInstructions()
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown processor',
    cores: availableParallelism(),
    architecture: arch(),
    ...(sha === undefined ? {} : { shaInstructions: sha }),
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    node: process.version,
    load: Math.round(loadavg()[0]! * 10) / 10,
  }
}

/** Warns of figures that other processes have disturbed. */
export function cautionFor({ load, cores }: Machine): string | undefined {
  if (load <= 1.5 * cores) return undefined
  return `the load was ${load} on ${cores} cores before this began: repeat it on a quiet machine`
}

function shaInstructions(): boolean | undefined {
  try {
    return /^(flags|Features).* (sha_ni|sha2)\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'))
  } catch {
    return undefined
  }
}
