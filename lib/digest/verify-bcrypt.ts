import { BcryptWorker } from './worker/bcrypt-worker.ts'

const BCRYPT = /^\$2[axyb]\$(?:0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}$/

/** Started by the first check, for the process. */
let worker: BcryptWorker | undefined

/**
 * Whether a text is a bcrypt hash that {@link verifyBcrypt} takes. A cost above 14 is refused: one check would then take
 * seconds.
 *
 * @internal
 */
export function isBcrypt(text: string): boolean {
  return BCRYPT.test(text)
}

/**
 * Whether a password is the one that a bcrypt hash was made of. A thread of its own computes it, so other work goes on; it
 * takes as long as the cost in the hash says. The checks of the process run one after the other: the caller bounds how many
 * wait, and remembers the answers.
 *
 * SPEC: bcrypt looks at 72 bytes; a longer password is refused rather than cut.
 *
 * @throws {@link HasherError} `ERR_HASHER` if the thread has crashed; the next call starts another one.
 * @internal
 */
export async function verifyBcrypt(password: string, hash: string): Promise<boolean> {
  const bytes = Buffer.byteLength(password)
  if (!isBcrypt(hash) || bytes === 0 || bytes > 72) return false
  if (!worker) {
    const started = new BcryptWorker(() => {
      if (worker === started) worker = undefined
    })
    worker = started
  }
  return worker.verify(password, hash)
}
