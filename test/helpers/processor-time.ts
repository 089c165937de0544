import { expect } from 'vitest'

/**
 * Processor time that an act may take whatever it is given, in microseconds: it loads and compiles code first. Under
 * coverage on a busy machine the deepest paths took 1.3 seconds; otherwise they take 0.25.
 */
const FREE = 3_000_000
/**
 * Processor time allowed for each byte of input and output. On a machine of 2026 most acts take a hundredth of it, and
 * unpacking empty files a tenth; the faults that this detects take a hundred times as much and more.
 */
const FOR_EACH_BYTE = 10

/**
 * Runs an act and fails if it takes more processor time, of all threads of this process, than its input and output
 * allow. An error of the library is an outcome like any other.
 *
 * @param act - Resolves to the number of bytes of output.
 */
export async function expectBoundedTime(name: string, bytesIn: number, act: () => Promise<number>): Promise<void> {
  const before = process.cpuUsage()
  let bytesOut = 0
  try {
    bytesOut = await act()
  } catch (error) {
    if (!(error as { code?: string }).code?.startsWith('ERR_')) throw error
  }
  const { user, system } = process.cpuUsage(before)
  const allowed = FREE + FOR_EACH_BYTE * (bytesIn + bytesOut)
  expect(user + system, `${name}: microseconds for ${bytesIn} bytes in and ${bytesOut} out`).toBeLessThan(allowed)
}

/** Cuts bytes into pieces of random sizes, the same for the same seed. */
export function* randomPieces(bytes: Uint8Array, seed: number, most: number): Generator<Uint8Array, void, undefined> {
  let state = seed >>> 0
  for (let at = 0; at < bytes.byteLength; ) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    const size = 1 + ((state >>> 8) % most)
    yield bytes.subarray(at, at + size)
    at += size
  }
}
