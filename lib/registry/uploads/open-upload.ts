import { type Digest, parseDigest } from '../../digest/index.ts'
import { RegistryError } from '../../errors/index.ts'
import type { Repository } from '../../oci/index.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import type { RetryBudget } from '../endpoint/retry-budget.ts'
import { type StartedUpload, startUpload } from './start-upload.ts'

/** How to open an upload. */
export interface OpenUploadOptions {
  /** Whether the registry may take the blob over from elsewhere, and from where it is thought to have it. */
  readonly mount: { readonly from: string | undefined } | false
  readonly budget: RetryBudget
  readonly signal: AbortSignal | undefined
}

/**
 * Opens an upload, and asks in the same request that the blob be taken over instead: from a repository that is named, then from
 * wherever the registry has it. What it will not take over it opens an upload for, so asking costs nothing; a registry that
 * refuses to be asked is asked without.
 *
 * SPEC: without `from` a registry may look for the blob by itself (distribution-spec 1.1, mounting a blob from another repository).
 */
export async function openUpload(
  endpoint: RegistryEndpoint,
  repository: Repository,
  digest: Digest,
  { mount, ...options }: OpenUploadOptions,
): Promise<StartedUpload> {
  parseDigest(digest)
  const ask = (from: string | undefined) => askToMount(endpoint, repository, { digest, from }, options)
  if (mount && mount.from !== undefined) {
    const { started } = await ask(mount.from)
    if (started) return started
  }
  let isRefused = false
  if (mount && !endpoint.learned.refusesMount) {
    const { started, refused } = await ask(undefined)
    if (started) return started
    isRefused = refused
  }
  const started = await startUpload(endpoint, repository, digest, options)
  // Only now it is known that it was the question.
  endpoint.learned.refusesMount ||= isRefused
  return started
}

/** Asked once: whatever may have been wrong, the next request is asked for less. */
async function askToMount(
  endpoint: RegistryEndpoint,
  repository: Repository,
  { digest, from }: { digest: Digest; from: string | undefined },
  options: Omit<OpenUploadOptions, 'mount'>,
): Promise<{ started: StartedUpload | undefined; refused: boolean }> {
  try {
    const started = await startUpload(endpoint, repository, digest, { mount: { from }, once: true, ...options })
    return { started: started.mounted || started.location ? started : undefined, refused: false }
  } catch (error) {
    const { status = 0, retryable } = error instanceof RegistryError ? error : { retryable: true }
    const refused = !retryable && status >= 400
    // A password that is wrong is not to be shown twice: that may lock its owner out.
    const isKnownAnswer = from === undefined && status === 401
    if (!refused || isKnownAnswer) await endpoint.waitAfter(error, options.budget, options.signal)
    return { started: undefined, refused }
  }
}
