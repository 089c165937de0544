import type { GitSource } from '../../dockerfile/index.ts'
import { BuildError } from '../../errors/index.ts'
import { withoutCredentials } from '../../internal/without-credentials.ts'

/** An error of a repository; the address is shown without user and password. */
export function fetchFault({ git }: GitSource, problem: string): BuildError {
  return new BuildError('ERR_BUILD_FETCH', `git repository ${withoutCredentials(git)}: ${problem}`)
}
