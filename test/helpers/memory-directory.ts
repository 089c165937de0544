import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * A fresh directory, in memory where the system has a place for that: for tests that make thousands of stores and wait
 * for no disk. What has to do with the disk itself belongs into a temporary directory.
 */
export function memoryDirectory(label: string): { path: string } & Disposable {
  const path = mkdtempSync(join(process.env.LAYERSTORE_MEMORY ?? tmpdir(), `layerstore-${label}-`))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}
