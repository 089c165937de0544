import { invalidArgument } from '../../internal/invalid-argument.ts'
import { type AnalyzeImageOptions, examineImage } from '../analyze/analyze-image.ts'
import type { ImageAnalysis } from '../analyze/image-analysis.ts'
import type { DedupReport } from '../dedup/dedup-report.ts'
import type { LocatedImage } from '../diff/diff-images.ts'
import { joinHistory } from '../history/join-history.ts'
import { readSource } from '../read-source.ts'
import type { SplitAdvice } from '../split/split-advice.ts'
import { fileTree } from './file-tree.ts'
import { hideValues } from './hide-values.ts'
import { type PackedTree, packTree } from './pack-tree.ts'
import { renderPage } from './render-page.ts'
import type { ReportData, ReportedImage } from './report-data.ts'
import { SharedContentFinder } from './shared-content.ts'

/** An image for a report page. */
export interface ReportSource extends LocatedImage {
  /** Name for readers. @defaultValue the name if `image` is one, else the digest */
  readonly name?: string | undefined
}

/** Options of {@link htmlReport}. */
export interface HtmlReportOptions extends AnalyzeImageOptions {
  /** Result of `measureDedup` for the same images; adds what chunks kept once would save. */
  readonly dedup?: DedupReport | undefined
  /** Result of `adviseSplit` for the same images. */
  readonly split?: SplitAdvice | undefined
  /**
   * Called with the analysis of each image, and its index, so that a caller need not analyse it again. Its lists have
   * `most` entries, 200 by default.
   */
  readonly onAnalysis?: ((analysis: ImageAnalysis, index: number) => void) | undefined
  /** Address of a page that lists all images; adds a link to it. @defaultValue no link */
  readonly home?: string | undefined
}

/** Images of one page: what they share is found by bits of a number. */
export const MOST_IMAGES = 32

/** Characters for the trees of files, so that the page stays below 2 MB. */
const TREE_CHARACTERS = 1_500_000

/** Entries of each list of paths. */
const MOST_PATHS = 200

/**
 * Makes a self-contained HTML page about one image or several: layers, a map of the files, what is wasted, and what the
 * images share. The page loads nothing from anywhere; a policy in it forbids that, and runs no script but its own.
 * Equal images give equal pages.
 *
 * A page has less than 2 MB for 50,000 files. The smallest files of larger images are counted in their directory and
 * not listed, which the page says. Memory grows with the number of entries of one image; images are read one by one.
 *
 * @example
 * ```ts
 * const page = await htmlReport([{ store, image: 'app:1.0' }])
 * console.log(page.length, page.startsWith('<!doctype html>'))
 * ```
 *
 * @param images - One to 32 images.
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for no images or too many; the errors of `analyzeImage`.
 */
export async function htmlReport(images: readonly ReportSource[], options: HtmlReportOptions = {}): Promise<string> {
  const { dedup, split, home } = options
  if (images.length === 0 || images.length > MOST_IMAGES)
    throw invalidArgument('images', `a list of 1 to ${MOST_IMAGES} images`, images)
  const shared = new SharedContentFinder()
  const reported: ReportedImage[] = []
  const trees: PackedTree[] = []
  for (const [index, source] of images.entries()) {
    const budget = TREE_CHARACTERS / images.length
    const { tree, found, ...image } = await reportImage(source, shared, budget, options)
    options.onAnalysis?.(found, index)
    reported.push(image)
    trees.push(tree)
  }
  const data: ReportData = {
    kind: 'report',
    images: reported,
    ...(images.length > 1 ? { shared: shared.report() } : {}),
    ...(dedup ? { dedup } : {}),
    ...(split ? { split } : {}),
    ...(home === undefined ? {} : { home }),
  }
  return renderPage(reported.map(({ name }) => name).join(', '), data, trees)
}

async function reportImage(
  { store, image: source, name }: ReportSource,
  shared: SharedContentFinder,
  budget: number,
  options: HtmlReportOptions,
): Promise<ReportedImage & { tree: PackedTree; found: ImageAnalysis }> {
  const image = await readSource(store, source, options)
  const { most = MOST_PATHS } = options
  const { analysis, contents, hidden } = await examineImage(store, image, { ...options, most })
  const commands = hideValues({
    analysis,
    steps: joinHistory(image).map(({ entry, layer }) => ({
      command: entry.created_by ?? '',
      ...(layer === undefined ? {} : { layer }),
    })),
  })
  shared.add(contents, commands.analysis.layers)
  const { created } = image.config
  return {
    name: name ?? (typeof source === 'string' ? source : image.descriptor.digest),
    ...commands,
    ...(created === undefined ? {} : { created }),
    found: analysis,
    tree: packTree(fileTree(contents.visible, hidden), budget),
  }
}
