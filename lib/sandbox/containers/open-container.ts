import type { Store } from '../../store/index.ts'
import { Container } from './container.ts'
import { ContainerHome, type ContainerPlace } from './home/container-home.ts'
import { type ContainerInfo, describeContainer } from './home/container-info.ts'

/**
 * Opens a container that exists.
 *
 * @param id - Its id, or the beginning of it if no other id begins so.
 * @throws {@link SandboxError} `ERR_CONTAINER_NOT_FOUND`; {@link FormatError} `ERR_INVALID_ARGUMENT` for a store
 * without a directory.
 */
export async function openContainer(store: Store, id: string, place: ContainerPlace = {}): Promise<Container> {
  const home = new ContainerHome(store, place)
  const { id: found } = await home.record(await home.find(id))
  return new Container(home, found)
}

/**
 * Resolves to all containers, sorted by id: those that are kept, and those that run. Removes what killed processes have
 * left of others.
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for a store without a directory.
 */
export async function listContainers(store: Store, place: ContainerPlace = {}): Promise<ContainerInfo[]> {
  await using home = new ContainerHome(store, place)
  await home.sweep()
  const found: ContainerInfo[] = []
  for (const id of await home.ids()) {
    const record = await home.read(id)
    if (record) found.push(await describeContainer(home, record))
  }
  return found
}
