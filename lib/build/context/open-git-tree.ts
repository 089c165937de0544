import type { GitSource } from '../../dockerfile/index.ts'
import { withoutCredentials } from '../../internal/without-credentials.ts'
import type { CheckedOut } from '../git/check-out.ts'
import { DigestCache } from './digest-cache.ts'
import { DirectorySource } from './directory-source.ts'
import type { SourceTree } from './source-tree.ts'

/** Opens the files of a commit as a tree. They have the time of the commit. */
export async function openGitTree({ root, time, keepsGit }: CheckedOut, { git }: GitSource): Promise<SourceTree> {
  return new DirectorySource({
    root,
    name: `the git repository ${withoutCredentials(git)}`,
    ignore: keepsGit ? [] : ['**/.git'],
    cache: await DigestCache.open(undefined, root),
    mtime: time,
  })
}
