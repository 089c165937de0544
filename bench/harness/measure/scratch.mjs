import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Runs an act with a fresh directory, removed afterwards whatever happens. */
export async function withScratch(act, parent = tmpdir()) {
  mkdirSync(parent, { recursive: true })
  const directory = mkdtempSync(join(parent, 'layerstore-bench-'))
  // Hundreds of thousands of files: the program takes half as long as Node.
  const remove = () => {
    const { error } = spawnSync('rm', ['-rf', directory])
    if (error) rmSync(directory, { recursive: true, force: true })
  }
  const interrupted = () => {
    remove()
    process.exit(130)
  }
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted)
  try {
    return await act(directory)
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted)
    remove()
  }
}
