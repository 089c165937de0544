import type { CopyStep, FetchStep, GitSource } from '../../dockerfile/index.ts'
import { withoutCredentials } from '../../internal/without-credentials.ts'
import type { Files } from '../../layer/index.ts'
import { createMemoryTree } from '../context/memory-tree.ts'
import type { FileCopyPlan, FileCopySource } from '../copy/file-copy.ts'
import { planFileCopy } from '../copy/plan-file-copy.ts'
import type { BuildSession, OpenedSource } from '../session/build-session.ts'
import { NotKnownYet } from '../session/not-known-yet.ts'
import { openRemoteFile } from './open-remote-file.ts'
import type { StepFrame } from './step-frame.ts'

/** Members of a step that define what is copied. */
type CopiedStep = Pick<CopyStep, 'kind' | 'sources' | 'files' | 'remotes' | 'destination'> & Partial<CopyStep>

/** Finds what a COPY or ADD takes: files of a tree, files written in the step, and downloads. */
export async function planCopyOf(
  session: BuildSession,
  step: CopiedStep | FetchStep,
  source: OpenedSource | undefined,
  frame: StepFrame,
): Promise<FileCopyPlan> {
  const { destination, chown, chmod, link, exclude, remotes } = step
  const isCopy = step.kind === 'copy'
  const sources: FileCopySource[] = []
  if (isCopy && source && step.sources.length > 0) {
    const tree = await source.tree()
    for (const path of step.sources) sources.push({ tree, path })
  }
  for (const remote of remotes) {
    if ('url' in remote) {
      const file = await openRemoteFile(session.store, remote, frame)
      session.downloads.set(remote.url, file.digest)
      sources.push(file)
    } else sources.push({ tree: await gitTree(session, remote, frame), path: '.', unpack: false })
  }
  if (isCopy) sources.push(...inlineSources(step.files))
  return planFileCopy(
    {
      sources,
      destination,
      chown,
      chmod,
      link,
      exclude,
      ...(isCopy ? { parents: step.parents, unpack: step.unpack } : {}),
    },
    { signal: frame.signal },
  )
}

async function gitTree(session: BuildSession, source: GitSource, { mayFetch, signal }: StepFrame) {
  if (!mayFetch) throw new NotKnownYet(`the repository ${withoutCredentials(source.git)} must be fetched first`)
  return session.git.files(source, { signal })
}

/** Files that are written in the step itself; two of one name are two trees. */
function inlineSources(files: CopyStep['files']): FileCopySource[] {
  return files.map(({ name, content, encoding, mode = 0o644 }) => {
    const bytes = Buffer.from(content, encoding === 'base64' ? 'base64' : 'utf8')
    const base = name.slice(name.lastIndexOf('/') + 1)
    const entries: Files = [{ path: base, type: 'file', content: bytes, mode }]
    return { tree: createMemoryTree(entries, { name: 'the file in the step' }), path: base }
  })
}
