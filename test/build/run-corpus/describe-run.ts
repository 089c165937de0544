import { readImage } from '../../../lib/image/index.ts'
import type { Descriptor } from '../../../lib/oci/index.ts'
import { openUnionView, type UnionView } from '../../../lib/rootfs/index.ts'
import type { Store } from '../../../lib/store/index.ts'
import { type DescribedBases, type DescribedImage, describeImage, describeTree } from '../corpus/describe-image.ts'

/** Files with at most this many bytes show their text. */
const MOST_TEXT = 300
/** Lists with more lines show their number and the first lines. */
const MOST_LINES = 40
/** Times from then on are those of the build. */
const NOW = 1_700_000_000

/** What a build with commands made: the image, and what each of its layers wrote. */
export interface DescribedRun extends DescribedImage {
  /**
   * Paths that each new layer changes, `-` before one that it removes: everything but directories that are as they were
   * below.
   */
  readonly written: readonly (readonly string[])[]
}

/** The exit code of a command that ended the build, or another error. */
export type DescribedFailure = { readonly error: string | true }

/** Describes an image of the corpus of commands. */
export async function describeRun(
  store: Store,
  source: Descriptor,
  { bases, times }: { readonly bases: DescribedBases; readonly times: boolean },
): Promise<DescribedRun> {
  const described = await describeImage(store, source, bases)
  const image = await readImage(store, source)
  const first = image.layers.length - described.layers
  const written: string[][] = []
  let below = await openUnionView(store, image.layers.slice(0, first))
  for (const [i, layer] of image.layers.slice(first).entries()) {
    const after = await openUnionView(store, image.layers.slice(0, first + i + 1))
    const own = await openUnionView(store, [layer])
    written.push(shortened(writtenBy(own, below, after)))
    below = after
  }
  const files: string[] = []
  for (const line of shortened(described.files)) files.push(await withText(below, line))
  const timed = times ? timesOf(below) : []
  return { ...described, files: [...files, ...timed], written }
}

function writtenBy(own: UnionView, below: UnionView, after: UnionView): string[] {
  const [before, now] = [describeTree(below), describeTree(after)]
  const changed: string[] = []
  for (const { path, type } of own.walk()) {
    if (type !== 'directory' || before.get(path) !== now.get(path)) changed.push(path)
  }
  const isGone = (path: string) => path !== '.' && !now.has(path)
  const removed = [...before.keys()].filter(path => isGone(path) && !isGone(parentOf(path)))
  return [...changed, ...removed.map(path => `-${path}`)].sort()
}

function parentOf(path: string): string {
  const end = path.lastIndexOf('/')
  return end < 0 ? '.' : path.slice(0, end)
}

/** A line of a small file with the text in place of its digest. */
async function withText(view: UnionView, line: string): Promise<string> {
  const [, path, rest, digest] = /^(.*) (file \d+ \d+:\d+) ([0-9a-f]{12})/.exec(line) ?? []
  if (path === undefined || (view.stat(path, { follow: false })?.size ?? 0) > MOST_TEXT) return line
  const chunks: Uint8Array[] = []
  for await (const chunk of view.read(path, { follow: false })) chunks.push(chunk)
  const text = JSON.stringify(Buffer.concat(chunks).toString('latin1'))
  return `${path} ${rest} ${text}${line.slice(`${path} ${rest} ${digest}`.length)}`
}

/** Times that a command or the base has set; those of the build differ from build to build. */
function timesOf(view: UnionView): string[] {
  const lines: string[] = []
  for (const { path, mtime, type } of view.walk()) {
    const time = Math.floor(mtime)
    if (!path.startsWith('bin/') && type !== 'hardlink') lines.push(`@${time < NOW ? time : 'now'} ${path}`)
  }
  return lines
}

function shortened(lines: readonly string[]): string[] {
  if (lines.length <= MOST_LINES) return [...lines]
  return [...lines.slice(0, MOST_LINES), `… ${lines.length} lines`]
}
