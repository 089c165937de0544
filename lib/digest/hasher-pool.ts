import type { IHasher } from 'hash-wasm'
import type { DigestAlgorithm } from './digest.ts'

/** Instances kept for reuse, per algorithm; more than this many at once are made and dropped again. */
const KEPT = 16

// PERF: instantiating a WASM hasher costs 70 to 170 µs, `init()` of a used one about 1 µs.
const free: Record<DigestAlgorithm, IHasher[]> = { sha256: [], sha512: [], blake3: [] }

const create: Record<DigestAlgorithm, () => Promise<IHasher>> = {
  sha256: async () => (await import('hash-wasm/dist/sha256.umd.min.js')).default.createSHA256(),
  sha512: async () => (await import('hash-wasm/dist/sha512.umd.min.js')).default.createSHA512(),
  blake3: async () => (await import('hash-wasm/dist/blake3.umd.min.js')).default.createBLAKE3(),
}

/** A hasher that nobody else uses, in an undefined state: call `init` or `load` first. */
export async function borrowHasher(algorithm: DigestAlgorithm): Promise<IHasher> {
  return free[algorithm].pop() ?? (await create[algorithm]())
}

/** Gives a hasher back. The caller must not touch it again. */
export function returnHasher(algorithm: DigestAlgorithm, hasher: IHasher): void {
  if (free[algorithm].length < KEPT) free[algorithm].push(hasher)
}
