const BCRYPT = /^\$2[axyb]\$(?:0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}$/

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
 * Whether a password is the one a bcrypt hash was made of. Takes as long as the hash's cost says, all on this thread:
 * whoever calls it for strangers remembers the answer.
 *
 * SPEC: bcrypt looks at 72 bytes; a longer password is refused rather than cut.
 *
 * @internal
 */
export async function verifyBcrypt(password: string, hash: string): Promise<boolean> {
  const bytes = Buffer.byteLength(password)
  if (!isBcrypt(hash) || bytes === 0 || bytes > 72) return false
  const { default: module } = await import('hash-wasm/dist/bcrypt.umd.min.js')
  return module.bcryptVerify({ password, hash })
}
