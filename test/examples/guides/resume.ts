// #region pull
import { createRegistryClient, type Digest, openStore, planPull, runPull } from 'layerstore'

/** Pulls until the image is complete or the signal fires. The next call, in any process, continues from there. */
export async function pullFor(signal: AbortSignal, reference: string, directory: string) {
  await using store = await openStore(directory)
  await using registry = createRegistryClient()
  const plan = await planPull(registry, store, reference)
  for (const { need, offset = 0, descriptor } of plan.steps) {
    if (need === 'resume') console.log(`${descriptor.digest}: ${offset} of ${descriptor.size} bytes are here`)
  }
  try {
    return await runPull(plan, { signal })
  } catch (error) {
    if (error === signal.reason) return undefined
    throw error
  }
}
// #endregion

// #region ingest
/** Stores a blob from a source that can start at any offset. An interrupted call is continued by the next one. */
export async function download(
  directory: string,
  blob: { digest: Digest; size: number },
  readFrom: (offset: number) => AsyncIterable<Uint8Array>,
) {
  await using store = await openStore(directory)
  await using writer = await store.ingest(blob.digest, { size: blob.size, wait: true })
  for await (const chunk of readFrom(writer.offset)) await writer.write(chunk)
  return await writer.commit(blob) // rejects with ERR_DIGEST_MISMATCH, and then keeps nothing
}
// #endregion
