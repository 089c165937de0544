import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const PAGE = Buffer.alloc(4096, 1)
/** Of so many pages one is kept. */
const APART = 256
/** Beside what it writes, a program has memory of its own. */
const MORE = 512 * 2 ** 20
let atHand = 0

/**
 * Sees to it that programs that write so many bytes find memory for them, until this process ends. A virtual machine that
 * reports free memory to its host fetches it again page by page: copying into it takes ten times as long, and falls on
 * whoever comes first. Only whole blocks of 2 MiB are reported, so one page in each is kept, and all others given back.
 */
export function keepAtHand(directory, bytes) {
  const missing = bytes * 1.5 + MORE - atHand
  if (missing <= 0) return
  const [given, kept] = ['given', 'kept'].map(name => join(directory, name))
  const files = [openSync(given, 'w'), openSync(kept, 'w')]
  for (let page = 0; page * PAGE.length < missing; page++) writeSync(files[page % APART === 0 ? 1 : 0], PAGE)
  for (const path of [given, kept]) unlinkSync(path)
  // The other one stays open, and its pages where they are.
  closeSync(files[0])
  atHand += missing
}
