import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Creates a directory, in memory if the system has such a file system: for tests that create thousands of stores. Tests
 * of the disk itself use a temporary directory.
 */
export function memoryDirectory(label: string): { path: string } & Disposable {
  const path = mkdtempSync(join(process.env.LAYERSTORE_MEMORY ?? tmpdir(), `layerstore-${label}-`))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}
