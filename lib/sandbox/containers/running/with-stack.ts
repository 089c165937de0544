import { type Image, readImage } from '../../../image/index.ts'
import type { AbortOptions } from '../../../internal/abort.ts'
import type { Stack } from '../../snapshots/stack.ts'
import type { ContainerHome } from '../home/container-home.ts'
import type { ContainerRecord } from '../home/container-record.ts'

/** The files of a container. */
export interface OpenedContainer {
  readonly image: Image
  readonly stack: Stack
}

/** Calls a function with the files of a container, whether it runs or not. */
export async function withStack<T>(
  home: ContainerHome,
  record: ContainerRecord,
  { signal }: AbortOptions,
  act: (opened: OpenedContainer) => Promise<T>,
): Promise<T> {
  const image = await readImage(home.store, record.image, { signal })
  const attach = await home.isRunning(record.id)
  const lock = attach ? undefined : await home.claim(record.id)
  try {
    const place = { directory: home.stackOf(record.id), durable: record.keep, attach }
    await using stack = await home.snapshots.openStack(home.store, image.layers, { signal, place })
    return await act({ image, stack })
  } finally {
    await lock?.release()
  }
}
