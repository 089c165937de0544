import { createHash } from 'node:crypto'
import { createReadStream, lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { createGunzip } from 'node:zlib'
import tarStream from 'tar-stream'
import { sha256Of } from './sha256-of.mjs'

/** Proves that a gzip layer holds the files and links of a directory with their content, and that its digests are right. */
export async function checkLayer({ file, digest, diffId, followsLinks }, directory) {
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
  for (const [path, what] of contentsOf(directory, { followsLinks })) {
    if (found.get(path) !== what) throw new Error(`the layer has ${path} as ${found.get(path)}, not ${what}`)
    found.delete(path)
  }
  if (found.size > 0) throw new Error(`the layer has surplus files, such as ${[...found.keys()][0]}`)
  if (diffId && diffId !== `sha256:${inner.digest('hex')}`) throw new Error(`wrong diffId ${diffId}`)
}

/** Every file and link below a directory with what it holds. */
export function* contentsOf(root, { below = '', followsLinks = false } = {}) {
  for (const name of readdirSync(join(root, below))) {
    const path = below ? `${below}/${name}` : name
    const stat = (followsLinks ? statSync : lstatSync)(join(root, path))
    if (stat.isDirectory()) yield* contentsOf(root, { below: path, followsLinks })
    else if (stat.isSymbolicLink()) yield [path, readlinkSync(join(root, path))]
    else
      yield [
        path,
        createHash('sha256')
          .update(readFileSync(join(root, path)))
          .digest('hex'),
      ]
  }
}

/** Bytes of a gzip file and of what is in it, by its last field: right for one member below 4 GiB. */
export async function gzipSizes(file) {
  const { size } = statSync(file)
  const handle = await open(file)
  const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, size - 4)
  await handle.close()
  return { layerBytes: size, tarBytes: buffer.readUInt32LE() }
}
