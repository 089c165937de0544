import { closeSync, mkdirSync, openSync, symlinkSync, writeFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'

const CREATED = new Set()

/** Writes the entries below a directory; returns the number of files and bytes. */
export function writeTree(entries, directory) {
  const facts = { files: 0, bytes: 0, links: 0 }
  for (const entry of entries) {
    const path = join(directory, entry.path)
    makeDirectory(dirname(path))
    if (entry.type === 'symlink') {
      symlinkSync(entry.linkname, path)
      facts.links++
    } else {
      facts.bytes += writeContent(path, entry)
      facts.files++
    }
  }
  CREATED.clear()
  return facts
}

function makeDirectory(path) {
  if (CREATED.has(path)) return
  mkdirSync(path, { recursive: true })
  CREATED.add(path)
}

function writeContent(path, { mode, content }) {
  const bytes = content()
  if (bytes instanceof Uint8Array) {
    writeFileSync(path, bytes, { mode })
    return bytes.length
  }
  const file = openSync(path, 'w', mode)
  let written = 0
  for (const piece of bytes) written += writeSync(file, piece)
  closeSync(file)
  return written
}
