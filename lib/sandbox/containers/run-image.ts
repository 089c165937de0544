import { keepFault } from '../../internal/byte-source.ts'
import type { Store } from '../../store/index.ts'
import type { ProcessExit } from '../executors/executor.ts'
import { type CreateContainerOptions, makeContainer } from './create-container.ts'
import { ContainerHome } from './home/container-home.ts'
import { type StartOptions, startProcess } from './running/start-process.ts'

/** Options of {@link runImage}. */
export interface RunImageOptions extends CreateContainerOptions, StartOptions {
  /** True if the container stays, as after {@link createContainer}. @defaultValue false */
  readonly keep?: boolean | undefined
}

/** End of a container. */
export interface ContainerExit extends ProcessExit {
  /** Identifier of the container. */
  readonly id: string
}

/**
 * Runs a command in a new container of an image, to its end. Without `keep` all that it has written is removed
 * afterwards, by another process if this one is killed. The image does not change, and containers see nothing of each
 * other.
 *
 * @example
 * ```ts
 * const { code } = await runImage(store, 'app:1.0', {
 *   command: ['node', '--version'],
 *   onOutput: chunk => process.stdout.write(chunk),
 * })
 * ```
 *
 * @param name - Name or digest of the image in the store.
 * @throws as {@link createContainer} and `Container.start`.
 */
export async function runImage(store: Store, name: string, options: RunImageOptions = {}): Promise<ContainerExit> {
  const { keep = false, signal, stdin, output, onOutput, onStart, exitCodeOf } = options
  keepFault(stdin)
  await using home = new ContainerHome(store, options)
  await home.sweep()
  const { record, lock } = await makeContainer(home, name, { ...options, keep })
  try {
    const exit = await startProcess(home, record, { signal, stdin, output, onOutput, onStart, exitCodeOf })
    return { ...exit, id: record.id }
  } finally {
    try {
      if (!keep) await home.remove(record.id)
    } finally {
      await lock.release()
    }
  }
}
