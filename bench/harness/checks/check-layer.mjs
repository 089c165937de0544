import { createHash } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import tarStream from 'tar-stream'
import { contentsOf } from './contents-of.mjs'
import { sha256Of } from './sha256-of.mjs'

/**
 * Verifies that a gzip layer holds the files and links of a directory with their content, and that its digests match.
 *
 * @param below - Directory in `directory` that the layer holds, under the same path.
 */
export async function checkLayer({ file, digest, diffId, followsLinks }, directory, below = '') {
  if (digest && digest !== (await sha256Of(file))) throw new Error(`wrong digest ${digest}`)
  const inner = createHash('sha256')
  const found = new Map()
  const extract = createReadStream(file)
    .pipe(createGunzip().on('data', chunk => inner.update(chunk)))
    .pipe(tarStream.extract())
  for await (const entry of extract) {
    const { name, type, linkname } = entry.header
    const hash = createHash('sha256')
    for await (const chunk of entry) hash.update(chunk)
    const what = { file: hash.digest('hex'), symlink: linkname }[type]
    if (what !== undefined) found.set(name.replace(/^(\.?\/)+/, ''), what)
  }
  for (const [path, what] of contentsOf(directory, { below, followsLinks })) {
    if (found.get(path) !== what) throw new Error(`the layer has ${path} as ${found.get(path)}, not ${what}`)
    found.delete(path)
  }
  if (found.size > 0) throw new Error(`the layer has surplus files, such as ${[...found.keys()][0]}`)
  if (diffId && diffId !== `sha256:${inner.digest('hex')}`) throw new Error(`wrong diffId ${diffId}`)
}

/** Compressed and uncompressed size of a gzip file, by its last field: correct for one member below 4 GiB. */
export async function gzipSizes(file) {
  const { size } = statSync(file)
  const handle = await open(file)
  const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, size - 4)
  await handle.close()
  return { layerBytes: size, tarBytes: buffer.readUInt32LE() }
}
