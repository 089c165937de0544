import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const PIECE = Buffer.alloc(2 ** 20, 1)

/**
 * Takes so much memory for a file and gives it back, right before a sample. A virtual machine that reports free memory to
 * its host fetches it again page by page: copying into it takes ten times as long, and falls on whoever comes first.
 */
export function warmMemory(directory, bytes) {
  const path = join(directory, 'warm')
  const file = openSync(path, 'w')
  try {
    for (let written = 0; written < bytes; written += PIECE.length) writeSync(file, PIECE)
  } finally {
    closeSync(file)
    unlinkSync(path)
  }
}
