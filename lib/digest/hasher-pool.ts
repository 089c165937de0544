import type { IHasher } from 'hash-wasm'
import { Pool } from '../internal/memory/pool.ts'
import type { DigestAlgorithm } from './digest.ts'

/** Number of idle hashers kept per algorithm; further ones are discarded. */
const KEPT = 16

/**
 * Pools of hashers. The state of a borrowed hasher is undefined: call `init` or `load` first.
 *
 * PERF: instantiating a WASM hasher costs 70 to 170 µs, `init()` of a used one about 1 µs.
 */
export const hashers: Record<DigestAlgorithm, Pool<Promise<IHasher>>> = {
  sha256: new Pool(async () => (await import('hash-wasm/dist/sha256.umd.min.js')).default.createSHA256(), KEPT),
  sha512: new Pool(async () => (await import('hash-wasm/dist/sha512.umd.min.js')).default.createSHA512(), KEPT),
  blake3: new Pool(async () => (await import('hash-wasm/dist/blake3.umd.min.js')).default.createBLAKE3(), KEPT),
}
