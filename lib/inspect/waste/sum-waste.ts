import type { ChangedField } from '../../layer/index.ts'
import type { HiddenFile } from './find-hidden.ts'

/** A path whose bytes are stored but cannot be seen. */
export interface WastedPath {
  /** The path, without a leading `/`. */
  readonly path: string
  /** Bytes of all hidden copies. */
  readonly bytes: number
  /** The hidden copies, lowest layer first. */
  readonly copies: readonly Omit<HiddenFile, 'path'>[]
}

/** Bytes that are stored and cannot be seen. */
export interface Waste {
  /** Bytes of all hidden files. */
  readonly bytes: number
  /** Those that a layer of the base stores and a layer of the base hides: only the base can save them. */
  readonly baseBytes: number
  /** Those hidden by a layer above the base. */
  readonly userBytes: number
  /** Bytes by reason. */
  readonly byReason: Readonly<Record<HiddenFile['why'], number>>
  /** Number of wasted paths; `paths` has the largest. */
  readonly count: number
  /** Largest wasted paths first. */
  readonly paths: readonly WastedPath[]
}

/** Files that a layer stores again with the same content, as `chown` and `chmod` in a step of their own do. */
export interface Rewrites {
  /** Bytes that are stored again. */
  readonly bytes: number
  /** Number of files. */
  readonly count: number
  /** Layers that rewrite files, the one with most bytes first. */
  readonly layers: readonly RewritingLayer[]
}

/** A layer that rewrites files of lower layers. */
export interface RewritingLayer {
  /** Index of the layer. */
  readonly layer: number
  /** Bytes of the files that it stores again. */
  readonly bytes: number
  /** Number of these files. */
  readonly count: number
  /** Metadata that it changes, with the number of files; empty if nothing but the place in the image changes. */
  readonly fields: Readonly<Partial<Record<ChangedField, number>>>
}

/** Sums up hidden files by path. */
export function sumWaste(hidden: readonly HiddenFile[], baseLayers: number, most: number): Waste {
  const paths = new Map<string, { bytes: number; copies: Omit<HiddenFile, 'path'>[] }>()
  const byReason = { replaced: 0, rewritten: 0, removed: 0, repeated: 0, hidden: 0 }
  let [bytes, baseBytes] = [0, 0]
  for (const { path, ...copy } of hidden) {
    const known = paths.get(path) ?? { bytes: 0, copies: [] }
    paths.set(path, known)
    known.bytes += copy.bytes
    known.copies.push(copy)
    bytes += copy.bytes
    byReason[copy.why] += copy.bytes
    if (copy.layer < baseLayers && copy.by !== undefined && copy.by < baseLayers) baseBytes += copy.bytes
  }
  const all = [...paths].map(([path, one]) => ({ path, ...one }))
  all.sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1))
  return { bytes, baseBytes, userBytes: bytes - baseBytes, byReason, count: all.length, paths: all.slice(0, most) }
}

/** Sums up files that were stored again with the same content, by the layer that did so. */
export function sumRewrites(hidden: readonly HiddenFile[]): Rewrites {
  const layers = new Map<number, { bytes: number; count: number; fields: Partial<Record<ChangedField, number>> }>()
  for (const { why, by, bytes, fields = [] } of hidden) {
    if (why !== 'rewritten' || by === undefined) continue
    const layer = layers.get(by) ?? { bytes: 0, count: 0, fields: {} }
    layers.set(by, layer)
    layer.bytes += bytes
    layer.count++
    for (const field of fields) layer.fields[field] = (layer.fields[field] ?? 0) + 1
  }
  const all = [...layers].map(([layer, one]) => ({ layer, ...one })).sort((a, b) => b.bytes - a.bytes)
  const sum = (figure: 'bytes' | 'count') => all.reduce((total, layer) => total + layer[figure], 0)
  return { bytes: sum('bytes'), count: sum('count'), layers: all }
}
