import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A fresh directory and how to remove it. */
export function temporaryDirectory(label = 'test'): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), `layerstore-${label}-`))
  return {
    path,
    [Symbol.dispose]: () => {
      try {
        rmSync(path, { recursive: true, force: true })
      } catch {
        // Directories that their owner may not write to, where the tests do not run as root.
        openUp(path)
        rmSync(path, { recursive: true, force: true })
      }
    },
  }
}

function openUp(directory: string): void {
  chmodSync(directory, 0o700)
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) openUp(join(directory, entry.name))
  }
}
