import type { CopyStep, FetchStep } from '../../dockerfile/index.ts'
import { BuildError } from '../../errors/index.ts'
import type { Files } from '../../layer/index.ts'
import { createMemoryTree } from '../context/memory-tree.ts'
import type { FileCopyPlan, FileCopySource } from '../copy/file-copy.ts'
import { planFileCopy } from '../copy/plan-file-copy.ts'
import { openRemoteFile } from '../fetch/open-remote-file.ts'
import type { BuildSession, OpenedSource } from '../session/build-session.ts'
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
    if (!('url' in remote)) {
      throw new BuildError('ERR_BUILD_UNSUPPORTED', `sources in git are not supported: ${remote.git.split('?')[0]}`)
    }
    sources.push(await openRemoteFile(session.store, remote, frame))
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

/** Files that are written in the step itself; two of one name are two trees. */
function inlineSources(files: CopyStep['files']): FileCopySource[] {
  return files.map(({ name, content, encoding, mode = 0o644 }) => {
    const bytes = Buffer.from(content, encoding === 'base64' ? 'base64' : 'utf8')
    const base = name.slice(name.lastIndexOf('/') + 1)
    const entries: Files = [{ path: base, type: 'file', content: bytes, mode }]
    return { tree: createMemoryTree(entries, { name: 'the file in the step' }), path: base }
  })
}
