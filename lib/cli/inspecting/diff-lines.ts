import type { ChangedFile, ConfigDifference, DiffedFile, DiffedLayer, ImageDiff } from '../../inspect/index.ts'
import { formatBytes } from '../printing/format-bytes.ts'

/** Describes a difference between images as text: config, layers, then one line for each path. */
export function diffLines(diff: ImageDiff): string[] {
  const { config, layers, files } = diff
  const counts = `${layers.shared} shared, ${countOf('removed', layers.removed)}, ${countOf('added', layers.added)}`
  return [
    ...(config.length > 0 ? ['config:', ...config.map(change => `  ${configLine(change)}`)] : ['config: equal']),
    `layers: ${counts}${layers.reordered ? ', in another order' : ''}`,
    ...layers.removed.map(layer => `  - ${layerLine(layer)}`),
    ...layers.added.map(layer => `  + ${layerLine(layer)}`),
    ...(files ? fileLines(files) : []),
  ]
}

function configLine({ member, name, before, after }: ConfigDifference): string {
  const place = name === undefined ? member : `${member} ${name}`
  if (before === undefined) return `+ ${place}: ${JSON.stringify(after)}`
  if (after === undefined) return `- ${place}: ${JSON.stringify(before)}`
  return `~ ${place}: ${JSON.stringify(before)} -> ${JSON.stringify(after)}`
}

function countOf(what: string, layers: readonly DiffedLayer[]): string {
  if (layers.length === 0) return `0 ${what}`
  return `${layers.length} ${what} (${formatBytes(layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0))})`
}

function layerLine({ diffId, descriptor, createdBy }: DiffedLayer): string {
  return `${diffId.slice(0, 19)}  ${formatBytes(descriptor.size)}  ${createdBy ?? ''}`.trimEnd()
}

function fileLines(files: NonNullable<ImageDiff['files']>): string[] {
  const { added, removed, changed, metadataOnly, moved } = files
  const total = [...added, ...removed, ...changed, ...metadataOnly, ...moved].length
  if (total === 0) return ['files: equal']
  const counts = [
    `${added.length} added`,
    `${removed.length} removed`,
    `${changed.length} changed`,
    `${moved.length} moved`,
    `${metadataOnly.length} only in metadata`,
  ]
  return [
    `files: ${counts.join(', ')}; ${formatBytes(files.bytesBefore)} -> ${formatBytes(files.bytesAfter)}`,
    ...added.map(file => `  A ${fileText(file)}`),
    ...removed.map(file => `  D ${fileText(file)}`),
    ...changed.map(file => `  C ${changeText(file)}`),
    ...moved.map(({ from, ...file }) => `  R ${from} -> ${fileText(file)}${fieldsText(file.fields)}`),
    ...metadataOnly.map(({ path, fields }) => `  M ${path}${fieldsText(fields)}`),
  ]
}

function fileText({ path, type, size }: DiffedFile): string {
  if (type === 'directory') return `${path}/`
  return type === 'file' ? `${path} ${formatBytes(size)}` : `${path} (${type})`
}

function changeText({ path, size, sizeBefore, fields }: ChangedFile): string {
  const sizes = size === sizeBefore ? formatBytes(size) : `${formatBytes(sizeBefore)} -> ${formatBytes(size)}`
  return `${path} ${sizes}${fieldsText(fields)}`
}

function fieldsText(fields: readonly string[]): string {
  return fields.length > 0 ? ` (${fields.join(', ')})` : ''
}
