import { type BuildImageOptions, type BuildResult, type BuildStages, buildImage } from '../../lib/build/index.ts'
import type { Files } from '../../lib/layer/index.ts'
import { openUnionView } from '../../lib/rootfs/index.ts'
import type { Store } from '../../lib/store/index.ts'

/** Builds stages with a context of files in memory. */
export function buildFiles(
  store: Store,
  stages: BuildStages,
  files: Files,
  options: BuildImageOptions = {},
): Promise<BuildResult> {
  return buildImage(store, stages, { context: { files }, ...options })
}

/** Results of the steps that make layers, as `cached` or `made` with their titles. */
export function outcomesOf({ steps }: BuildResult): string[] {
  return steps.flatMap(({ outcome, title }) =>
    outcome === 'made' || outcome === 'cached' ? [`${outcome} ${title}`] : [],
  )
}

/** Every path of an image, with the type, mode, owner and content of each. */
export async function filesOf(store: Store, { images }: BuildResult): Promise<Record<string, string>> {
  const view = await openUnionView(store, images[0]!)
  const found: Record<string, string> = {}
  for (const { path, type, mode, uid, gid, linkname } of view.walk()) {
    const chunks: Uint8Array[] = []
    if (type === 'file') for await (const chunk of view.read(path)) chunks.push(chunk)
    const end = type === 'file' ? ` ${Buffer.concat(chunks)}` : linkname === undefined ? '' : ` -> ${linkname}`
    found[path] = `${type} ${mode.toString(8)} ${uid}:${gid}${end}`
  }
  return found
}
