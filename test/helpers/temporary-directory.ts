import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A fresh directory and how to remove it. */
export function temporaryDirectory(label = 'test'): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), `layerstore-${label}-`))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}
