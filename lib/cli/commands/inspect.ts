import { findDescriptor, type Image, readImage } from '../../image/index.ts'
import { formatPlatform, parsePlatform, platformOfConfig } from '../../oci/index.ts'
import { formatBytes } from '../printing/format-bytes.ts'
import { formatTable } from '../printing/format-table.ts'
import type { Session } from '../session.ts'

/** Options of `inspect`, `manifest` and `config`. */
export interface PlatformOption {
  readonly platform?: string
}

/** `inspect NAME`: says what a stored image is. */
export async function inspect(session: Session, name: string, options: PlatformOption): Promise<void> {
  const store = await session.store()
  const platform = options.platform ? parsePlatform(options.platform) : undefined
  const root = await findDescriptor(store, name, { signal: session.signal })
  const image = await readImage(store, root, { platform, signal: session.signal })
  session.result(describe(name, image), { name, root, ...image })
}

function describe(name: string, image: Image): string[] {
  const { descriptor, config, layers } = image
  const run = config.config ?? {}
  const platform = platformOfConfig(config)
  const facts: [string, string | undefined][] = [
    ['Name', name],
    ['Digest', descriptor.digest],
    ['Media type', descriptor.mediaType],
    ['Platform', platform && formatPlatform(platform)],
    ['Created', config.created || undefined],
    ['Size', formatBytes(layers.reduce((sum, layer) => sum + layer.descriptor.size, 0))],
    ['User', run.User || undefined],
    ['Working dir', run.WorkingDir || undefined],
    ['Entrypoint', run.Entrypoint ? JSON.stringify(run.Entrypoint) : undefined],
    ['Command', run.Cmd ? JSON.stringify(run.Cmd) : undefined],
    ...(run.Env ?? []).map((variable): [string, string] => ['Env', variable]),
    ...Object.entries(run.Labels ?? {}).map(([key, value]): [string, string] => ['Label', `${key}=${value}`]),
  ]
  const width = Math.max(...facts.map(([label]) => label.length))
  const lines = facts.flatMap(([label, value]) => (value === undefined ? [] : [`${label.padEnd(width)}  ${value}`]))
  const rows = layers.map(layer => [layer.descriptor.digest, formatBytes(layer.descriptor.size), layer.diffId])
  return [...lines, ...formatTable(['LAYER', 'SIZE', 'DIFF ID'], rows)]
}
