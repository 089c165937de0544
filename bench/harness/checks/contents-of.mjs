import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Yields every file and link below a directory with its content. */
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

/** Counts the files below a directory and their bytes, without reading their content. */
export function amountOf(root) {
  const sum = { files: 0, bytes: 0 }
  for (const entry of readdirSync(root, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue
    sum.files++
    sum.bytes += lstatSync(join(entry.parentPath, entry.name)).size
  }
  return sum
}
