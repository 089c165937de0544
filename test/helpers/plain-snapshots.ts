import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openUnionView } from '../../lib/rootfs/index.ts'
import type { SnapshotDriver } from '../../lib/sandbox/index.ts'
import type { TarInput } from '../../lib/tar/index.ts'
import { readAll } from './read-all.ts'

/** Root filesystems of small images without threads: files, directories and links; changes by content. */
export function plainSnapshots(directory: string): SnapshotDriver {
  return {
    async openStack(store, layers) {
      const path = mkdtempSync(join(directory, 'stack-'))
      const scratch = mkdtempSync(join(directory, 'scratch-'))
      const view = await openUnionView(store, layers)
      for (const { path: name, type, linkname } of view.walk()) {
        if (type === 'directory') mkdirSync(join(path, name))
        else if (type === 'symlink') symlinkSync(linkname!, join(path, name))
        else writeFileSync(join(path, name), await readAll(view.read(name)))
      }
      const before = contentOf(path)
      const close = async () => {
        for (const each of [path, scratch]) rmSync(each, { recursive: true, force: true })
      }
      return { path, scratch, changes: () => changes(before, contentOf(path)), close, [Symbol.asyncDispose]: close }
    },
  }
}

async function* changes(before: Map<string, string>, after: Map<string, string>): AsyncGenerator<TarInput> {
  for (const name of before.keys()) {
    const at = name.lastIndexOf('/') + 1
    if (!after.has(name)) yield { path: `${name.slice(0, at)}.wh.${name.slice(at)}`, type: 'file' }
  }
  for (const [path, content] of after) {
    if (before.get(path) === content) continue
    if (content === DIRECTORY) yield { path, type: 'directory', mode: 0o755 }
    else yield { path, type: 'file', content, mode: 0o644 }
  }
}

const DIRECTORY = '\0directory'

function contentOf(root: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const name = path.slice(root.length + 1)
    if (entry.isDirectory()) found.set(name, DIRECTORY)
    else if (entry.isFile()) found.set(name, readFileSync(path, 'utf8'))
  }
  return found
}
