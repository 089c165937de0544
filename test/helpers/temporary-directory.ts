import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Creates a directory; `dispose` removes it. */
export function temporaryDirectory(label = 'test', parent = tmpdir()): { path: string } & Disposable {
  const path = mkdtempSync(join(parent, `layerstore-${label}-`))
  return {
    path,
    [Symbol.dispose]: () => {
      try {
        rmSync(path, { recursive: true, force: true })
      } catch {
        // Without root the tests cannot remove directories that their owner may not write to.
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
