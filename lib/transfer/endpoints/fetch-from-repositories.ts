import { BlobNotFoundError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Descriptor, Repository } from '../../oci/index.ts'

/** Reads a blob from one repository. */
export type FetchFromRepository = (repository: Repository) => AsyncIterable<Uint8Array>

/**
 * Reads a blob from the first of several repositories that delivers it. A repository that fails before its first chunk
 * is passed over.
 *
 * @throws the error of the first repository if none delivers; the error of a repository that fails after its first
 * chunk, because the chunks that were yielded cannot be taken back.
 */
export async function* fetchFromRepositories(
  { digest }: Descriptor,
  repositories: readonly Repository[],
  fetch: FetchFromRepository,
  { signal }: AbortOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const refused: Error[] = []
  for (const repository of repositories) {
    let given = false
    try {
      for await (const chunk of fetch(repository)) {
        given = true
        yield chunk
      }
      return
    } catch (error) {
      signal?.throwIfAborted()
      if (given) throw error
      refused.push(error as Error)
    }
  }
  throw refused[0] ?? new BlobNotFoundError(digest)
}
