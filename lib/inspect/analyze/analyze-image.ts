import type { Digest } from '../../digest/index.ts'
import type { Image } from '../../image/index.ts'
import { formatPlatform, platformOfConfig } from '../../oci/index.ts'
import type { ViewStore } from '../../rootfs/index.ts'
import { findBiggest } from '../contents/find-biggest.ts'
import { findCaches } from '../contents/find-caches.ts'
import { findSecrets } from '../contents/find-secrets.ts'
import { findSetId } from '../contents/find-set-id.ts'
import { type DiveReport, diveReportOf } from '../efficiency/dive-report.ts'
import { measureEfficiency } from '../efficiency/measure-efficiency.ts'
import { type ImageContents, readContents } from '../read-layers.ts'
import { type InspectedSource, type InspectionOptions, readSource } from '../read-source.ts'
import { findCopies } from '../waste/find-copies.ts'
import { findHidden, type HiddenFile } from '../waste/find-hidden.ts'
import { sumRewrites, sumWaste } from '../waste/sum-waste.ts'
import { baseLayers } from './base-layers.ts'
import type { AnalysedBase, ImageAnalysis, LayerFigures } from './image-analysis.ts'

/** Options of {@link analyzeImage}. */
export interface AnalyzeImageOptions extends InspectionOptions {
  /**
   * Base of the image: another image, or the number of its layers. @defaultValue the image that the annotation
   * `org.opencontainers.image.base.digest` names, if the store has it; else the lowest layer
   */
  readonly base?: Image | number | undefined
  /** Largest number of entries in each list of paths; the sums cover all. @defaultValue `100` */
  readonly most?: number | undefined
  /** Look for secrets, which opens layers once more. @defaultValue `true` */
  readonly secrets?: boolean | undefined
}

/**
 * Analyses an image: efficiency as dive defines it, stored bytes that no container sees, copies, caches, secrets, the
 * largest files, and set-id programs. Layers that are indexed are opened only to look into files whose name is that of
 * a secret, and only once. Memory grows with the number of entries.
 *
 * @example
 * ```ts
 * const { efficiency, waste, secrets } = await analyzeImage(store, 'app:1.0')
 * console.log(efficiency.score, waste.bytes, waste.paths[0], secrets.count)
 * ```
 *
 * @throws the errors of `readImage`, `readLayerIndex` and `openUnionView`.
 */
export async function analyzeImage(
  store: ViewStore,
  source: InspectedSource,
  options: AnalyzeImageOptions = {},
): Promise<ImageAnalysis> {
  const image = await readSource(store, source, options)
  return (await examineImage(store, image, options)).analysis
}

/** Analyses an image, and keeps what the analysis was made from. */
export async function examineImage(
  store: ViewStore,
  image: Image,
  options: AnalyzeImageOptions,
): Promise<{ analysis: ImageAnalysis; contents: ImageContents; hidden: readonly HiddenFile[] }> {
  const { signal, most = 100 } = options
  const base = await baseLayers(store, image, options)
  const contents = await readContents(store, image, options)
  const hidden = findHidden(contents)
  const found = options.secrets === false ? [] : await findSecrets(store, contents, hidden, { signal })
  return { analysis: analysisOf(contents, hidden, { base, found, most }), contents, hidden }
}

function analysisOf(
  contents: ImageContents,
  hidden: readonly HiddenFile[],
  { base, found, most }: { base: AnalysedBase; found: ImageAnalysis['secrets']['found']; most: number },
): ImageAnalysis {
  const { image, visible } = contents
  const platform = platformOfConfig(image.config)
  const layers = figuresOf(contents, hidden, base)
  const bytes = sum(layers, layer => layer.bytes)
  return {
    version: 1,
    digest: image.descriptor.digest as Digest,
    ...(platform ? { platform: formatPlatform(platform) } : {}),
    blobBytes: sum(layers, layer => layer.blobBytes),
    bytes,
    visibleBytes: bytes - sum(layers, layer => layer.hiddenBytes),
    entries: visible.length,
    layers,
    base,
    efficiency: withFewPaths(measureEfficiency(contents.layers), most),
    waste: sumWaste(hidden, base.layers, most),
    rewrites: sumRewrites(hidden),
    copies: findCopies(visible, most),
    biggest: findBiggest(visible, most),
    caches: findCaches(contents, hidden),
    secrets: { count: found.length, found },
    setId: findSetId(visible),
  }
}

/**
 * Makes the document that `dive --json FILE` writes for an image, with every file of every layer.
 *
 * @throws as {@link analyzeImage}.
 */
export async function diveReport(
  store: ViewStore,
  source: InspectedSource,
  options: InspectionOptions = {},
): Promise<DiveReport> {
  const { layers } = await readContents(store, await readSource(store, source, options), options)
  return diveReportOf(layers, measureEfficiency(layers))
}

function figuresOf({ layers }: ImageContents, hidden: readonly HiddenFile[], base: AnalysedBase): LayerFigures[] {
  const unseen = layers.map(() => 0)
  for (const { layer, bytes } of hidden) unseen[layer]! += bytes
  return layers.map(({ index, descriptor, diffId, createdBy, entries }) => ({
    index,
    digest: descriptor.digest as Digest,
    diffId,
    ...(createdBy === undefined ? {} : { createdBy }),
    blobBytes: descriptor.size,
    bytes: sum(entries, entry => entry.size),
    files: sum(entries, entry => (entry.type === 'file' ? 1 : 0)),
    hiddenBytes: unseen[index]!,
    base: index < base.layers,
  }))
}

function withFewPaths<T extends { readonly paths: readonly unknown[] }>(figures: T, most: number): T {
  return { ...figures, paths: figures.paths.slice(0, most) }
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0)
}
