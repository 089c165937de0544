import { gzipSync } from 'node:zlib'
import { readTar } from '../../lib/tar/index.ts'
import { sha256 } from './push-image.ts'
import { type RawEntry, rawTar } from './raw-tar.ts'

/** The entries of an image as old docker versions save it, for a test to change, and the blobs in them. */
export interface DockerArchive {
  readonly entries: RawEntry[]
  readonly config: Buffer
  readonly configDigest: string
  readonly layers: readonly Buffer[]
  readonly diffIds: readonly string[]
}

/** Creates the archive of an image whose layers have one file each. */
export function dockerArchive(
  texts: readonly string[] = ['first', 'second'],
  options: { tags?: readonly string[] | null; gzip?: boolean } = {},
): DockerArchive {
  const layers = texts.map(text => rawTar([{ path: `${text}.txt`, content: text }]))
  const diffIds = layers.map(sha256)
  const rootfs = { type: 'layers', diff_ids: diffIds }
  const config = Buffer.from(
    `{"os":"linux","architecture":"amd64",  "config":{"Healthcheck":{}},"rootfs":${JSON.stringify(rootfs)}}`,
  )
  const configDigest = sha256(config)
  const name = `${configDigest.slice(7)}.json`
  const paths = texts.map(text => `${sha256(text).slice(7)}/layer.tar`)
  const list = [{ Config: name, RepoTags: options.tags === undefined ? ['app:1.0'] : options.tags, Layers: paths }]
  const entries: RawEntry[] = texts.flatMap((text, i) => [
    { path: `${sha256(text).slice(7)}/` },
    { path: `${sha256(text).slice(7)}/VERSION`, content: '1.0' },
    { path: `${sha256(text).slice(7)}/json`, content: '{}' },
    { path: paths[i]!, content: options.gzip ? gzipSync(layers[i]!) : layers[i]! },
  ])
  entries.push({ path: name, content: config })
  entries.push({ path: 'manifest.json', content: JSON.stringify(list) })
  entries.push({ path: 'repositories', content: '{}' })
  return { entries, config, configDigest, layers, diffIds }
}

/** Unpacks an archive into entries that a test can change and pack again. */
export async function rawEntriesOf(tar: Uint8Array): Promise<RawEntry[]> {
  const entries: RawEntry[] = []
  for await (const { path, type, content } of readTar(tar)) {
    const chunks: Uint8Array[] = []
    for await (const chunk of content) chunks.push(Uint8Array.from(chunk))
    entries.push(type === 'directory' ? { path: `${path}/` } : { path, content: Buffer.concat(chunks) })
  }
  return entries
}
