import { constants } from 'node:os'
import { SandboxError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { sleep } from '../../internal/concurrency/sleep.ts'
import { isErrno } from '../../internal/errno.ts'
import { lifeOf, type Owner, parseOwner } from '../../internal/locks/owner.ts'
import type { Store } from '../../store/index.ts'
import { ContainerHome, type ContainerPlace } from './home/container-home.ts'
import { parseStopSignal } from './process/parse-stop-signal.ts'

/** Options of {@link stopContainer}. */
export interface StopContainerOptions extends ContainerPlace, AbortOptions {
  /** Time in milliseconds after which the process is killed. @defaultValue 10 seconds */
  readonly timeoutMs?: number | undefined
}

const POLL_MS = 50
const TIMEOUT_MS = 10_000

/**
 * Asks the process of a container to end, by the stop signal of its image, and kills it if it has not ended in time.
 * Resolves when it has ended; at once if it does not run.
 *
 * @param id - Its id, or the beginning of it if no other id begins so.
 * @throws {@link SandboxError} `ERR_CONTAINER_NOT_FOUND`; `ERR_CONTAINER_RUNNING` if it cannot be stopped from here.
 */
export async function stopContainer(store: Store, id: string, options: StopContainerOptions = {}): Promise<void> {
  const { timeoutMs = TIMEOUT_MS, signal, ...place } = options
  await using home = new ContainerHome(store, place)
  const found = await home.find(id)
  const { process } = await home.record(found)
  await endRun(home, found, parseStopSignal(process.stopSignal), timeoutMs, signal)
  await killContainer(home, found, { signal })
}

/** Kills the process of a container, and waits for its end. */
export async function killContainer(home: ContainerHome, id: string, { signal }: AbortOptions): Promise<void> {
  await endRun(home, id, constants.signals.SIGKILL, TIMEOUT_MS, signal)
}

async function endRun(
  home: ContainerHome,
  id: string,
  number: number,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  let isSent = false
  for (let waited = 0; waited <= timeoutMs && (await home.isRunning(id)); waited += POLL_MS) {
    // A container that is not kept goes with its process, between two looks at it.
    const record = await home.read(id)
    // The process is noted a moment after the start.
    if (!isSent && record?.owner) isSent = await send(home, id, record.owner, number)
    await sleep(POLL_MS, signal)
  }
}

/**
 * Sends a signal to the process of a container. Resolves to whether it was sent.
 *
 * SAFETY: the record may be that of a killed run, and its number that of any process now, which would get the signal.
 * So the start of the process and of the machine are compared.
 */
async function send(home: ContainerHome, id: string, noted: Owner, number: number): Promise<boolean> {
  const owner = parseOwner(JSON.stringify(noted))
  const life = owner ? await lifeOf(owner, 0, home.stackOf(id)) : 'gone'
  if (!owner || life === 'gone') return false
  const { pid } = owner
  if (life === 'unknown') {
    const message = `the container ${id} runs as process ${pid} of another machine, or one that cannot be seen from here`
    throw new SandboxError('ERR_CONTAINER_RUNNING', message)
  }
  try {
    process.kill(pid, number)
    return true
  } catch (cause) {
    if (isErrno(cause, 'ESRCH')) return false
    const message = `the container ${id} runs as process ${pid}, which takes no signal of this user`
    throw new SandboxError('ERR_CONTAINER_RUNNING', message, { cause })
  }
}
