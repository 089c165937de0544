import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const PAGE = Buffer.alloc(4096, 1)
/** Keeps one page of this number of pages. */
const APART = 256
/** Memory that a program needs beyond the bytes that it writes. */
const MORE = 512 * 2 ** 20

/**
 * Makes memory for `bytes` written bytes available until the returned function is called. A virtual machine that
 * reports free memory to its host fetches it back page by page: copying into such memory takes ten times as long, and
 * slows down the first program that uses it. Only whole blocks of 2 MiB are reported, so one page of each block is kept
 * and the rest is freed.
 */
export function reserveMemory(directory, bytes) {
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
