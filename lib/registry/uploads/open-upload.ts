import { type Digest, parseDigest } from '../../digest/index.ts'
import { RegistryError } from '../../errors/index.ts'
import type { Repository } from '../../oci/index.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import type { RetryBudget } from '../endpoint/retry-budget.ts'
import { type StartedUpload, startUpload } from './start-upload.ts'

/** Options of {@link openUpload}. */
export interface OpenUploadOptions {
  /** Let the registry mount the blob instead, and from which repository it probably can; `false` to not ask for it. */
  readonly mount: { readonly from: string | undefined } | false
  readonly budget: RetryBudget
  readonly signal: AbortSignal | undefined
}

/**
 * Opens an upload. The same request asks the registry to mount the blob instead: from the named repository, then from
 * any. A registry that does not mount the blob opens the upload, so the question costs no request. A registry that
 * rejects the question is asked again without it.
 *
 * SPEC: without `from` a registry may search for the blob itself (distribution-spec 1.1, mounting a blob from another
 * repository).
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
  // The success without the question shows that the question caused the refusal.
  endpoint.learned.refusesMount ||= isRefused
  return started
}

/** Sends one request without retries: after any failure the next request asks for less. */
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
    // Sending a wrong password twice may lock the account.
    const isKnownAnswer = from === undefined && status === 401
    if (!refused || isKnownAnswer) await endpoint.waitAfter(error, options.budget, options.signal)
    return { started: undefined, refused }
  }
}
