import { SandboxError } from '../../errors/index.ts'
import { keepFault } from '../../internal/byte-source.ts'
import { bubblewrap } from './bubblewrap/bubblewrap.ts'
import { chroot } from './chroot/chroot.ts'
import type { Executor, ExecutorProbe, PassedOver, ProbeOptions } from './executor.ts'
import { platformFault } from './platforms/platform-fault.ts'
import { runc } from './runc/runc.ts'

/** Name of an executor of this library. */
export type ExecutorName = 'bubblewrap' | 'runc' | 'chroot'

/** The executors, best first. */
const EXECUTORS: Readonly<Record<ExecutorName, () => Executor>> = { bubblewrap, runc, chroot }

/** Options of {@link machineExecutor}. */
export interface MachineExecutorOptions {
  /** Executors to choose from, best first. @defaultValue bubblewrap, runc, chroot */
  readonly executors?: readonly (ExecutorName | Executor)[] | undefined
}

/**
 * An executor that is the first one of several that works on this machine. It is chosen by the first call; `probe()`
 * says which did not work, and why.
 *
 * @throws {@link SandboxError} from `run`: `ERR_SANDBOX_NO_EXECUTOR` with the reason of each if none works.
 */
export function machineExecutor({ executors }: MachineExecutorOptions = {}): Executor {
  const given = executors ?? (Object.keys(EXECUTORS) as ExecutorName[])
  const choices = given.map(choice => (typeof choice === 'string' ? EXECUTORS[choice]() : choice))
  let chosen: Executor | undefined
  const probe = async (options?: ProbeOptions): Promise<ExecutorProbe> => {
    const fault = await platformFault(options?.platform)
    if (fault !== undefined) return { works: false, reason: fault }
    const passedOver: PassedOver[] = []
    for (const choice of choices) {
      const found = await choice.probe(options)
      if (found.works) {
        chosen = choice
        return passedOver.length === 0 ? found : { ...found, passedOver }
      }
      passedOver.push({ name: choice.name, reason: found.reason ?? 'it says no reason' })
    }
    return { works: false, reason: passedOver.map(({ name, reason }) => `${name}: ${reason}`).join('; '), passedOver }
  }
  return {
    get name() {
      return chosen?.name ?? choices.map(({ name }) => name).join(' or ')
    },
    probe,
    async run(process) {
      keepFault(process.stdin)
      if (!chosen) {
        const { reason } = await probe({ signal: process.signal })
        if (!chosen) throw new SandboxError('ERR_SANDBOX_NO_EXECUTOR', `no executor works here: ${reason}`)
      }
      return chosen.run(process)
    },
  }
}
