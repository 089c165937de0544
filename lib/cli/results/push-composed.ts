import type { Descriptor } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'
import { formatBytes } from '../printing/format-bytes.ts'
import type { Session } from '../session/session.ts'

/** Pushes what a command composed (`--push REF`), and notes what moved. */
export async function pushComposed(
  session: Session,
  store: Store,
  image: { readonly descriptor: Descriptor },
  reference: string,
): Promise<void> {
  const { pushImage } = await import('../../transfer/index.ts')
  const registry = await session.registry()
  const { signal } = session
  const result = await session.transfer(onProgress =>
    pushImage(store, registry, image, reference, { concurrency: session.jobs, onProgress, signal }),
  )
  session.note(`${pushedWords(result)}${session.pace(result.bytesUploaded)}`)
}

/** Says what a push moved. */
export function pushedWords(result: {
  readonly reference: string
  readonly bytesUploaded: number
  readonly blobsMounted: number
}): string {
  const { reference, bytesUploaded, blobsMounted } = result
  const blobs = blobsMounted === 1 ? 'blob' : 'blobs'
  const mounted = blobsMounted > 0 ? `, ${blobsMounted} ${blobs} mounted` : ''
  return `${reference}: ${formatBytes(bytesUploaded)} uploaded${mounted}`
}
