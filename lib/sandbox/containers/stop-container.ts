import { constants } from 'node:os'
import { SandboxError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { sleep } from '../../internal/concurrency/sleep.ts'
import { isErrno } from '../../internal/errno.ts'
import type { Store } from '../../store/index.ts'
import { ContainerHome, type ContainerPlace } from './home/container-home.ts'

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
  await endRun(home, found, signalNamed(process.stopSignal), timeoutMs, signal)
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
    const { pid } = await home.record(id)
    // The number is noted a moment after the start.
    if (!isSent && pid !== undefined) {
      send(id, pid, number)
      isSent = true
    }
    await sleep(POLL_MS, signal)
  }
}

function send(id: string, pid: number, number: number): void {
  try {
    process.kill(pid, number)
  } catch (cause) {
    if (isErrno(cause, 'ESRCH')) return
    const message = `the container ${id} runs as process ${pid}, which takes no signal of this user`
    throw new SandboxError('ERR_CONTAINER_RUNNING', message, { cause })
  }
}

/** Number of a signal as a config names it: `SIGTERM`, `TERM` or `15`. */
function signalNamed(text: string): number {
  const names: Readonly<Record<string, number>> = constants.signals
  const name = text.toUpperCase()
  return names[name] ?? names[`SIG${name}`] ?? (Number(text) || constants.signals.SIGTERM)
}
