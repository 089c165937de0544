import type { FoundSecret, ImageAnalysis, LayerFigures, RuleResult } from '../../inspect/index.ts'
import { countOf } from '../printing/count-of.ts'
import { formatBytes } from '../printing/format-bytes.ts'
import { formatTable } from '../printing/format-table.ts'

/** Describes an analysis as text: sums, layers, then each kind of finding with its largest entries. */
export function analysisLines(name: string, found: ImageAnalysis, most: number): string[] {
  return [
    ...sumLines(name, found),
    '',
    ...layerTable(found.layers),
    ...section(
      `Wasted: ${formatBytes(found.waste.bytes)} in ${countOf(found.waste.count, 'path')}`,
      wasteRows(found, most),
    ),
    ...section(rewriteTitle(found), rewriteRows(found)),
    ...section(copiesTitle(found), copyRows(found, most)),
    ...section('Caches and leftovers', cacheRows(found, most)),
    ...section(`Secrets: ${found.secrets.count}`, found.secrets.found.map(secretText)),
    ...section(
      `Set-id programs: ${found.setId.length}`,
      found.setId.slice(0, most).map(({ path }) => path),
    ),
    ...section('Largest files', biggestRows(found.biggest.files, most)),
    ...section('Largest directories', biggestRows(found.biggest.directories, most)),
  ]
}

function sumLines(name: string, found: ImageAnalysis): string[] {
  const { efficiency, waste, base } = found
  const from = {
    option: 'as given',
    annotation: 'by its annotation',
    'first-layer': 'the lowest layer, as dive takes it',
  }
  const facts: [string, string][] = [
    ['Image', `${name}${found.platform ? ` (${found.platform})` : ''}`],
    ['Digest', found.digest],
    [
      'Size',
      `${formatBytes(found.blobBytes)} compressed, ${formatBytes(found.bytes)} unpacked in ${found.entries} paths`,
    ],
    ['Base', `${countOf(base.layers, 'layer')}, ${formatBytes(base.blobBytes)} compressed (${from[base.from]})`],
    [
      'Efficiency',
      `${percent(efficiency.score)} (dive; ${formatBytes(efficiency.wastedBytes)} wasted with remaining copies)`,
    ],
    ['Wasted', `${formatBytes(waste.bytes)}, of which ${formatBytes(waste.baseBytes)} in the base alone`],
  ]
  return facts.map(([label, value]) => `${label.padEnd(10)}  ${value}`)
}

function layerTable(layers: readonly LayerFigures[]): string[] {
  const rows = layers.map(layer => [
    `${layer.index + 1}${layer.base ? ' base' : ''}`,
    formatBytes(layer.blobBytes),
    formatBytes(layer.bytes),
    formatBytes(layer.hiddenBytes),
    String(layer.files),
    commandText(layer.createdBy ?? ''),
  ])
  return formatTable(['LAYER', 'BLOB', 'FILES', 'WASTED', 'COUNT', 'CREATED BY'], rows)
}

function wasteRows({ waste }: ImageAnalysis, most: number): string[] {
  return columns(
    waste.paths.slice(0, most).map(({ path, bytes, copies }) => {
      const why = copies.map(
        copy => `layer ${copy.layer + 1} ${copy.why}${copy.by === undefined ? '' : ` by ${copy.by + 1}`}`,
      )
      return [formatBytes(bytes), path, why.join(', ')]
    }),
  )
}

function rewriteTitle({ rewrites }: ImageAnalysis): string {
  return `Stored again unchanged: ${formatBytes(rewrites.bytes)} in ${countOf(rewrites.count, 'file')}`
}

function rewriteRows({ rewrites }: ImageAnalysis): string[] {
  return columns(
    rewrites.layers.map(({ layer, bytes, count, fields }) => {
      const changed = Object.entries(fields).map(([field, files]) => `${field} of ${files}`)
      return [
        formatBytes(bytes),
        `layer ${layer + 1}`,
        `${countOf(count, 'file')}: ${changed.join(', ') || 'nothing changed'}`,
      ]
    }),
  )
}

function copiesTitle({ copies }: ImageAnalysis): string {
  return `Same content at several paths: ${formatBytes(copies.bytes)} more than once`
}

function copyRows({ copies }: ImageAnalysis, most: number): string[] {
  return columns(
    copies.contents.slice(0, most).map(({ bytes, paths, count }) => {
      return [formatBytes(bytes), paths.slice(0, 3).join(', ') + (count > 3 ? `, and ${count - 3} more` : '')]
    }),
  )
}

function cacheRows({ caches }: ImageAnalysis, most: number): string[] {
  return columns(
    caches.slice(0, most).map(({ kind, path, bytes, hiddenBytes, advice }) => {
      const removed = hiddenBytes > 0 ? ` (${formatBytes(hiddenBytes)} removed later)` : ''
      return [formatBytes(bytes) + removed, path, `${kind}; ${advice}`]
    }),
  )
}

function secretText(secret: FoundSecret): string {
  if (secret.where !== 'file')
    return `${secret.variable} (${secret.where === 'env' ? 'variable of the image' : 'history'})`
  const { kind, path, layer, visible, hiddenBy } = secret
  const removed = hiddenBy === undefined ? ', not visible' : `, hidden by layer ${hiddenBy + 1}`
  return `${path} (${kind}, layer ${layer + 1}${visible ? '' : removed})`
}

function biggestRows(all: readonly { readonly path: string; readonly bytes: number }[], most: number): string[] {
  return columns(all.slice(0, most).map(({ path, bytes }) => [formatBytes(bytes), path]))
}

/** Describes the outcome of rules, one line each. */
export function ruleLines(results: readonly RuleResult[]): string[] {
  return results.map(({ rule, passed, limit, actual }) => {
    return `${passed ? 'PASS' : 'FAIL'}  ${rule}: ${figure(rule, actual)}, limit ${figure(rule, limit)}`
  })
}

function figure(rule: RuleResult['rule'], value: number): string {
  if (rule === 'highestSecrets') return String(value)
  return rule.endsWith('Efficiency') || rule.endsWith('Percent') ? percent(value) : formatBytes(value)
}

function percent(share: number): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(2)} %` : 'infinite'
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map(line => `  ${line}`)]
}

/** Rows as aligned columns, without a header. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const [first] = rows
  return first ? formatTable(first, rows.slice(1)) : []
}

const WIDEST_COMMAND = 60

function commandText(command: string): string {
  const line = [...command.replaceAll(/\s+/g, ' ')]
  return line.length > WIDEST_COMMAND ? `${line.slice(0, WIDEST_COMMAND - 1).join('')}…` : line.join('')
}
