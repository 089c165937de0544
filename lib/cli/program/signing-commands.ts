import type { GenerateKeyPairOptions } from '../commands/signing/generate-key-pair.ts'
import type { SignCommandOptions } from '../commands/signing/sign.ts'
import type { VerifyCommandOptions } from '../commands/signing/verify.ts'
import type { GlobalOptions } from '../session/session.ts'
import { type Add, collect, type InSession } from './parts.ts'

const PASSWORD = [
  '--password-stdin',
  'read the password of the key from stdin (default: $LAYERSTORE_KEY_PASSWORD, else $COSIGN_PASSWORD)',
] as const

/** Adds `sign`, `verify` and `generate-key-pair`. */
export function addSigningCommands(add: Add, addRemote: Add, inSession: InSession): void {
  addRemote('sign <name>', 'sign an image with a key, in its registry or in the store; prints the signed digest')
    .requiredOption('--key <file>', 'private key: PEM, or the encrypted format of cosign')
    .option(...PASSWORD)
    .option('--format <f>', 'bundle (cosign 3), simple-signing (a tag: cosign 2, skopeo), simple-signing-referrer')
    .option('--recursive', 'also sign each image of an index')
    .option('-a, --annotation <name=value>', 'claim that is signed too; may be repeated', collect)
    .option('--sign-container-identity <name>', 'name that is signed (default: the repository)')
    .action((name: string, { key, ...options }: GlobalOptions & Omit<SignCommandOptions, 'signingKey'>) =>
      inSession(options, async s =>
        (await import('../commands/signing/sign.ts')).sign(s, name, { ...options, signingKey: key! }),
      ),
    )
  addRemote('verify <name>', 'check the signatures of an image with keys or identities; prints the verified digest')
    .option('--key <file>', 'public key that may have signed; may be repeated', collect)
    .option('--certificate-identity <text>', 'subject of a certificate that may have signed')
    .option('--certificate-identity-regexp <pattern>', 'the same, as a pattern of the whole subject')
    .option('--certificate-oidc-issuer <url>', 'issuer that attested the subject')
    .option('--certificate-oidc-issuer-regexp <pattern>', 'the same, as a pattern of the whole issuer')
    .option('--trusted-root <file>', 'trusted_root.json that certificates are verified with, offline')
    .option('--attestation <type>', 'predicate type of an attestation that must exist; may be repeated', collect)
    .option('--signed-name <name>', 'name that must have been signed; empty for any (default: the repository)')
    .action((name: string, options: Omit<GlobalOptions, 'key'> & VerifyCommandOptions & { key?: string[] }) => {
      const { key: verificationKeys, ...others } = options
      const given = { ...others, ...(verificationKeys && { verificationKeys }) }
      return inSession(others, async s => (await import('../commands/signing/verify.ts')).verify(s, name, given))
    })
  add('generate-key-pair', 'make the keys to sign with: PREFIX.key, encrypted, and PREFIX.pub')
    .option('--output-key-prefix <prefix>', 'path without ending', 'cosign')
    .option('--algorithm <name>', 'ecdsa-p256, ed25519 or rsa', 'ecdsa-p256')
    .option(...PASSWORD)
    .action((options: GlobalOptions & GenerateKeyPairOptions) =>
      inSession(options, async s =>
        (await import('../commands/signing/generate-key-pair.ts')).generateKeyPair(s, options),
      ),
    )
}
