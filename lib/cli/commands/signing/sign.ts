import { namesRegistry } from '../../../oci/index.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { imageLocation } from '../../places/image-location.ts'
import { readPem } from '../../registries/read-pem.ts'
import type { Session } from '../../session/session.ts'
import { keyPassword } from '../../signing/read-password.ts'
import { pairsOf } from '../composing/run-config.ts'

/** Options of `sign`. */
export interface SignCommandOptions {
  readonly signingKey: string
  readonly passwordStdin?: boolean
  readonly format?: string
  readonly recursive?: boolean
  readonly annotation?: readonly string[]
  readonly signContainerIdentity?: string
}

const FORMS = {
  bundle: { format: 'bundle' },
  'simple-signing': { format: 'simple-signing' },
  'simple-signing-referrer': { format: 'simple-signing', storage: 'referrer' },
} as const

/** `sign NAME --key FILE`: signs an image where it is, and prints the signed digest. */
export async function sign(session: Session, text: string, options: SignCommandOptions): Promise<void> {
  const { format = 'bundle', recursive, signContainerIdentity: name, annotation = [] } = options
  if (!Object.hasOwn(FORMS, format)) throw new UsageError(`--format is ${Object.keys(FORMS).join(', ')}, not ${format}`)
  const annotations = pairsOf('--annotation', annotation)
  const pem = readPem(options.signingKey, '--key')
  const { loadSigningKey, signImage } = await import('../../../trust/index.ts')
  const key = await loadSigningKey(pem, { password: await keyPassword(session, options) })
  const at = await imageLocation(session, text)
  if ('store' in at && at.name === text && namesRegistry(text))
    session.note(`${text} is signed in the store; docker://${text} is the one in its registry`)
  const form = FORMS[format as keyof typeof FORMS]
  const signed = await signImage(at, { key, ...form, recursive, annotations, name, signal: session.signal })
  for (const { subject, digest, tag } of signed.signatures) session.note(`${subject}: signed by ${tag ?? digest}`)
  session.result(signed.digest, signed)
}
