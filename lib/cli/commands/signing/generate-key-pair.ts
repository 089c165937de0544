import { rm, writeFile } from 'node:fs/promises'
import { notEmpty } from '../../arguments/not-empty.ts'
import { OutputError } from '../../failing/output-error.ts'
import { UsageError } from '../../failing/usage-error.ts'
import type { Session } from '../../session/session.ts'
import { keyPassword } from '../../signing/read-password.ts'

/** Options of `generate-key-pair`. */
export interface GenerateKeyPairOptions {
  readonly outputKeyPrefix?: string
  readonly algorithm?: string
  readonly passwordStdin?: boolean
}

/** `generate-key-pair`: writes PREFIX.key, encrypted by the password, and PREFIX.pub; prints the name of the latter. */
export async function generateKeyPair(session: Session, options: GenerateKeyPairOptions): Promise<void> {
  const { outputKeyPrefix: prefix = 'cosign', algorithm = 'ecdsa-p256' } = options
  notEmpty(prefix, 'the path of --output-key-prefix')
  if (algorithm !== 'ecdsa-p256' && algorithm !== 'ed25519' && algorithm !== 'rsa')
    throw new UsageError(`--algorithm is ecdsa-p256, ed25519 or rsa, not ${JSON.stringify(algorithm)}`)
  const password = await keyPassword(session, options)
  if (password === undefined)
    throw new UsageError('the private key needs a password: --password-stdin, or $COSIGN_PASSWORD (empty for none)')
  const { generateSigningKeys } = await import('../../../trust/index.ts')
  const { privateKey, publicKey } = await generateSigningKeys({ algorithm, password })
  const paths = [`${prefix}.key`, `${prefix}.pub`] as const
  // SAFETY: a key that is overwritten is lost, and with it the images that it signed.
  await write(paths[0], privateKey, 0o600)
  await write(paths[1], publicKey, 0o644).catch(async error => {
    // The private key was made just now, and without its public key the next attempt would be refused because of it.
    await rm(paths[0])
    throw error
  })
  session.note(`private key in ${paths[0]}, encrypted`)
  session.result(paths[1], { privateKey: paths[0], publicKey: paths[1], algorithm })
}

async function write(path: string, content: string, mode: number): Promise<void> {
  await writeFile(path, content, { mode, flag: 'wx' }).catch(cause => {
    throw new OutputError(cause, `--output-key-prefix ${JSON.stringify(path)}`)
  })
}
