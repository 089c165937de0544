import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const PAGE = Buffer.alloc(4096, 1)
/** Of so many pages one is kept. */
const APART = 256
/** Beside what it writes, a program has memory of its own. */
const MORE = 512 * 2 ** 20

/**
 * Sees to it that programs that write so many bytes find memory for them, until the function returned is called. A virtual
 * machine that reports free memory to its host fetches it again page by page: copying into it takes ten times as long, and
 * falls on whoever comes first. Only whole blocks of 2 MiB are reported, so one page in each is kept, and all others given
 * back.
 */
export function keepAtHand(directory, bytes) {
  const [given, kept] = ['given', 'kept'].map(name => {
    const path = join(directory, name)
    const file = openSync(path, 'w')
    unlinkSync(path)
    return file
  })
  const enough = bytes * 1.5 + MORE
  for (let page = 0; page * PAGE.length < enough; page++) writeSync(page % APART === 0 ? kept : given, PAGE)
  closeSync(given)
  return () => closeSync(kept)
}
