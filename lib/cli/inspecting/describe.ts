import type { Image } from '../../image/index.ts'
import {
  type Descriptor,
  formatPlatform,
  type ImageManifest,
  platformOfConfig,
  type RunConfig,
} from '../../oci/index.ts'
import { formatBytes } from '../printing/format-bytes.ts'
import { formatTable } from '../printing/format-table.ts'
import type { IndexEntry, Inspected, InspectedBlob, InspectedIndex, InspectedManifest } from './inspect-stored.ts'
import { artifactTypeOf, attestedBy } from './kind-of.ts'

/** A label and its value; a fact without a value is not printed. */
type Fact = readonly [label: string, value: string | undefined]

/** Describes an inspected object as text: one fact per line, then a table of its parts. */
export function describe(name: string, root: Descriptor, found: Inspected): string[] {
  if ('index' in found) return describeIndex(name, root, found)
  if (found.kind === 'blob') return describeBlob(name, found)
  return found.kind === 'image' ? describeImage(name, found) : describeManifest(name, found)
}

function describeImage(name: string | undefined, image: Image): string[] {
  const { descriptor, manifest, config, layers } = image
  const run = config.config ?? {}
  const platform = platformOfConfig(config)
  const rows = layers.map(layer => [layer.descriptor.digest, formatBytes(layer.descriptor.size), layer.diffId])
  return [
    ...factLines([
      ['Name', name],
      ['Digest', descriptor.digest],
      ['Media type', descriptor.mediaType],
      ['Kind', 'image'],
      ['Artifact type', artifactTypeOf(manifest)],
      ['Platform', platform && formatPlatform(platform)],
      ['Created', config.created || undefined],
      ['Author', config.author || undefined],
      ['Size', sizeOf(manifest.layers)],
      ...runFacts(run),
      ...aboutAndAnnotations(manifest),
    ]),
    ...formatTable(['LAYER', 'SIZE', 'DIFF ID'], rows),
  ]
}

/** Facts of the run configuration, member by member; empty members are left out. */
function runFacts(run: RunConfig): Fact[] {
  const { Healthcheck, Shell, OnBuild } = run as DockerRunConfig
  return [
    ['User', run.User || undefined],
    ['Working dir', run.WorkingDir || undefined],
    ['Entrypoint', listOf(run.Entrypoint)],
    ['Command', listOf(run.Cmd)],
    ['Shell', listOf(Shell)],
    ['Stop signal', run.StopSignal || undefined],
    ['Health check', Healthcheck ? JSON.stringify(Healthcheck) : undefined],
    ...Object.keys(run.ExposedPorts ?? {}).map((port): Fact => ['Port', port]),
    ...Object.keys(run.Volumes ?? {}).map((path): Fact => ['Volume', path]),
    ...(run.Env ?? []).map((variable): Fact => ['Env', variable]),
    ...pairs('Label', run.Labels ?? {}),
    ...(OnBuild ?? []).map((instruction): Fact => ['On build', instruction]),
  ]
}

/** Members of a run configuration that only Docker defines. */
interface DockerRunConfig {
  readonly Healthcheck?: object | null
  readonly Shell?: readonly string[] | null
  readonly OnBuild?: readonly string[] | null
}

function listOf(words: readonly string[] | null | undefined): string | undefined {
  return words ? JSON.stringify(words) : undefined
}

/** Describes an artifact, a cache, an attestation or a signature. */
function describeManifest(name: string, { kind, descriptor, manifest }: InspectedManifest): string[] {
  const { config, layers } = manifest
  const rows = layers.map(layer => [layer.digest, formatBytes(layer.size), layer.mediaType, titleOf(layer)])
  return [
    ...factLines([
      ['Name', name],
      ['Digest', descriptor.digest],
      ['Media type', descriptor.mediaType],
      ['Kind', kind],
      ['Artifact type', artifactTypeOf(manifest)],
      ['Config', brief(config)],
      ['Size', sizeOf(layers)],
      ...aboutAndAnnotations(manifest),
    ]),
    ...formatTable(['LAYER', 'SIZE', 'TYPE', 'TITLE'], rows),
  ]
}

function describeIndex(name: string, root: Descriptor, found: InspectedIndex): string[] {
  const { kind, index, entries, descriptor, manifest, config, layers } = found
  const lines = [
    ...factLines([
      ['Name', name],
      ['Digest', root.digest],
      ['Media type', root.mediaType],
      ['Kind', kind],
      ['Artifact type', index.artifactType],
      ...aboutAndAnnotations(index),
    ]),
    ...formatTable(['ENTRY', 'SIZE', 'PLATFORM', 'WHAT', 'STORED'], entries.map(entryRow)),
  ]
  if (!descriptor || !manifest || !config || !layers) return lines
  return [...lines, '', 'For this machine:', ...describeImage(undefined, { descriptor, manifest, config, layers })]
}

function entryRow({ descriptor, kind, present }: IndexEntry): string[] {
  const { digest, size, platform } = descriptor
  const attested = attestedBy(descriptor)
  const type =
    kind === 'image' ? undefined : (descriptor.artifactType ?? (kind === 'blob' ? descriptor.mediaType : undefined))
  const what = [
    attested ? 'attestation' : kind,
    ...(attested ? [`of ${attested.slice(0, 19)}`] : []),
    ...(type ? [`(${type})`] : []),
    ...(descriptor.annotations?.[TITLE] ? [JSON.stringify(descriptor.annotations[TITLE])] : []),
  ]
  const isNamed = platform !== undefined && platform.os !== 'unknown'
  return [digest, formatBytes(size), isNamed ? formatPlatform(platform) : '-', what.join(' '), present ? 'yes' : 'no']
}

function describeBlob(name: string, { descriptor, present, content }: InspectedBlob): string[] {
  return factLines([
    ['Name', name],
    ['Digest', descriptor.digest],
    ['Media type', descriptor.mediaType],
    ['Kind', 'blob, neither manifest nor index'],
    ['Artifact type', descriptor.artifactType],
    ['Size', formatBytes(descriptor.size)],
    ['Stored', present ? 'yes' : 'no'],
    ['Content', content === 'other' ? undefined : content],
    ...pairs('Annotation', descriptor.annotations ?? {}),
  ])
}

const TITLE = 'org.opencontainers.image.title'

/** Title of a layer. A layer of an attestation has no title, so its predicate type is shown instead. */
function titleOf({ annotations }: Descriptor): string {
  return annotations?.[TITLE] ?? annotations?.['in-toto.io/predicate-type'] ?? ''
}

function aboutAndAnnotations({ subject, annotations }: Pick<ImageManifest, 'subject' | 'annotations'>): Fact[] {
  return [['Subject', subject && brief(subject)], ...pairs('Annotation', annotations ?? {})]
}

function pairs(label: string, values: Readonly<Record<string, string>>): Fact[] {
  return Object.entries(values).map(([key, value]): Fact => [label, `${key}=${value}`])
}

function brief({ digest, mediaType, size }: Descriptor): string {
  return `${digest} (${mediaType}, ${formatBytes(size)})`
}

function sizeOf(layers: readonly Descriptor[]): string {
  return formatBytes(layers.reduce((sum, { size }) => sum + size, 0))
}

function factLines(facts: readonly Fact[]): string[] {
  const known = facts.flatMap(([label, value]) => (value === undefined ? [] : [[label, value] as const]))
  const width = known.reduce((most, [label]) => Math.max(most, label.length), 0)
  return known.map(([label, value]) => `${label.padEnd(width)}  ${value}`)
}
