import type { IHasher } from 'hash-wasm'
import type { DigestAlgorithm } from './digest.ts'

/** Number of idle hashers kept per algorithm; further ones are discarded. */
const KEPT = 16

// PERF: instantiating a WASM hasher costs 70 to 170 µs, `init()` of a used one about 1 µs.
const free: Record<DigestAlgorithm, IHasher[]> = { sha256: [], sha512: [], blake3: [] }

const create: Record<DigestAlgorithm, () => Promise<IHasher>> = {
  sha256: async () => (await import('hash-wasm/dist/sha256.umd.min.js')).default.createSHA256(),
  sha512: async () => (await import('hash-wasm/dist/sha512.umd.min.js')).default.createSHA512(),
  blake3: async () => (await import('hash-wasm/dist/blake3.umd.min.js')).default.createBLAKE3(),
}

/** Takes a hasher out of the pool. Its state is undefined: call `init` or `load` first. */
export async function borrowHasher(algorithm: DigestAlgorithm): Promise<IHasher> {
  return free[algorithm].pop() ?? (await create[algorithm]())
}

/** Returns a hasher to the pool. The caller must not use it afterwards. */
export function returnHasher(algorithm: DigestAlgorithm, hasher: IHasher): void {
  if (free[algorithm].length < KEPT) free[algorithm].push(hasher)
}
