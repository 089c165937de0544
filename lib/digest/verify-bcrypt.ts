import { warnNoThreads } from '../internal/warn-no-threads.ts'
import type { BcryptWorker } from './worker/bcrypt-worker.ts'

const BCRYPT = /^\$2[axyb]\$(?:0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}$/

/** One worker for the process, started by the first check. */
let worker: BcryptWorker | undefined

/**
 * Whether a text is a bcrypt hash that {@link verifyBcrypt} accepts. A cost above 14 is refused: one check would take
 * seconds.
 *
 * @internal
 */
export function isBcrypt(text: string): boolean {
  return BCRYPT.test(text)
}

/**
 * Whether a password matches a bcrypt hash. A worker thread computes it, so the calling thread stays free; the time
 * depends on the cost in the hash. The checks of a process run one after the other: the caller bounds how many wait,
 * and caches results. Without worker threads the calling thread computes it.
 *
 * SPEC: bcrypt reads 72 bytes; a longer password is refused, not truncated.
 *
 * @throws {@link HasherError} `ERR_HASHER` if the thread has crashed; the next call starts another one.
 * @internal
 */
export async function verifyBcrypt(password: string, hash: string): Promise<boolean> {
  const bytes = Buffer.byteLength(password)
  if (!isBcrypt(hash) || bytes === 0 || bytes > 72) return false
  worker ??= startWorker(await import('./worker/bcrypt-worker.ts'))
  if (worker) return worker.verify(password, hash)
  const { default: module } = await import('hash-wasm/dist/bcrypt.umd.min.js')
  return module.bcryptVerify({ password, hash })
}

function startWorker(code: typeof import('./worker/bcrypt-worker.ts')): BcryptWorker | undefined {
  if (worker) return worker
  try {
    const started: BcryptWorker = new code.BcryptWorker(() => {
      if (worker === started) worker = undefined
    })
    return started
  } catch (error) {
    warnNoThreads(error)
    return undefined
  }
}
