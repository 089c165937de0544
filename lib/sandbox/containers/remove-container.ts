import { sleep } from '../../internal/concurrency/sleep.ts'
import type { Store } from '../../store/index.ts'
import { ContainerHome, type ContainerPlace } from './home/container-home.ts'
import { killContainer } from './stop-container.ts'

const POLL_MS = 50
const REMOVAL_TIMEOUT_MS = 10_000

/** Options of {@link removeContainer}. */
export interface RemoveContainerOptions extends ContainerPlace {
  /** Kills the process of the container first. @defaultValue false */
  readonly force?: boolean | undefined
}

/**
 * Removes a container with all that it has written. Its image stays.
 *
 * @param id - Its id, or the beginning of it if no other id begins so.
 * @throws {@link SandboxError} `ERR_CONTAINER_NOT_FOUND`; `ERR_CONTAINER_RUNNING` without `force`.
 */
export async function removeContainer(
  store: Store,
  id: string,
  { force = false, ...place }: RemoveContainerOptions = {},
): Promise<void> {
  await using home = new ContainerHome(store, place)
  const found = await home.find(id)
  if (force) await killContainer(home, found, {})
  // The process that ran it removes a container that is not kept.
  if (force && !(await isLeft(home, found))) return
  const lock = await home.claim(found)
  try {
    await home.remove(found)
  } finally {
    await lock.release()
  }
}

/** Resolves to whether a container is there after the process that removes it at its end has had time for that. */
async function isLeft(home: ContainerHome, id: string): Promise<boolean> {
  for (let waited = 0; waited < REMOVAL_TIMEOUT_MS; waited += POLL_MS) {
    const record = await home.read(id)
    if (!record || record.keep) return record !== undefined
    await sleep(POLL_MS)
  }
  return true
}
