import { TrustError } from '../../errors/index.ts'
import { isErrno } from '../../internal/errno.ts'

/** Verifies signatures whose signer has a certificate of sigstore. */
export interface CertificateVerifier {
  /**
   * Verifies certificate, log entries, timestamps and signature of a bundle, and returns the identity.
   *
   * @param payload - The signed bytes, for a bundle that signs bytes and has no envelope.
   * @returns a text that says what is wrong, if it is not valid.
   */
  verify(bundle: unknown, payload?: Uint8Array): { readonly identity: string; readonly issuer: string } | string
}

/** The parts of the optional packages that are used. */
interface Packages {
  bundleFromJSON(document: unknown): unknown
  toTrustMaterial(root: unknown): unknown
  toSignedEntity(bundle: unknown, artifact?: Buffer): unknown
  readonly Verifier: new (
    material: unknown,
    options: object,
  ) => { verify(entity: unknown): { identity?: { subjectAlternativeName?: string; extensions?: { issuer?: string } } } }
  readonly TrustedRoot: { fromJSON(document: unknown): Root }
}

interface Root {
  readonly tlogs: readonly unknown[]
  readonly ctlogs: readonly unknown[]
  readonly certificateAuthorities: readonly unknown[]
}

const NEEDED = '@sigstore/verify and @sigstore/bundle'

/**
 * Loads the optional packages `@sigstore/verify` and `@sigstore/bundle`, and a trusted root. Nothing is fetched: what
 * the root does not contain is not trusted. Log entries and embedded timestamps of certificates are required if the
 * root lists such logs.
 *
 * @param trustedRoot - The JSON value of `trusted_root.json`.
 * @param from - File from which the packages are looked for. @defaultValue this one
 * @throws {@link TrustError} `ERR_TRUST_PACKAGE` if they are not installed, `ERR_INVALID_POLICY` for a malformed root.
 * @see {@link https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_trustroot.proto | trusted root}
 */
export function loadCertificateVerifier(trustedRoot: unknown, from?: string): CertificateVerifier {
  const packages = loadPackages(from)
  const { root, material } = readRoot(packages, trustedRoot)
  const thresholds = {
    tlogThreshold: Math.min(1, root.tlogs.length),
    ctlogThreshold: Math.min(1, root.ctlogs.length),
    timestampThreshold: 1,
  }
  const verifier = new packages.Verifier(material, thresholds)
  return {
    verify(document, payload) {
      try {
        const bundle = packages.bundleFromJSON(document)
        const entity = packages.toSignedEntity(bundle, payload && Buffer.from(payload))
        const { identity } = verifier.verify(entity)
        const [subject, issuer] = [identity?.subjectAlternativeName, identity?.extensions?.issuer]
        return subject && issuer ? { identity: subject, issuer } : 'its certificate names no identity'
      } catch (error) {
        return `its certificate or log entry is not valid: ${(error as Error).message}`
      }
    },
  }
}

function readRoot(packages: Packages, trustedRoot: unknown): { root: Root; material: unknown } {
  try {
    const root = packages.TrustedRoot.fromJSON(trustedRoot)
    if (root.certificateAuthorities.length === 0) throw new Error('it lists no certificate authority')
    return { root, material: packages.toTrustMaterial(root) }
  } catch (cause) {
    const why = (cause as Error).message
    throw new TrustError('ERR_INVALID_POLICY', `the trusted root cannot be read: ${why}`, {}, { cause })
  }
}

/**
 * NODE: `require` loads ES modules from Node 20.19 on. Bundlers see neither `import` nor `createRequire` here, so they
 * put no stub in the place of the packages and warn of nothing.
 */
function loadPackages(from?: string): Packages {
  // A bundler that writes CommonJS may leave `import.meta` empty.
  const file = from ?? (import.meta.url as string | undefined) ?? (typeof __filename === 'string' ? __filename : '')
  const { createRequire } = process.getBuiltinModule('node:module')
  try {
    const own = createRequire(file)
    const verify = own.resolve('@sigstore/verify')
    // The types of the trusted root are in a package that `@sigstore/verify` depends on.
    const inner = createRequire(verify)
    return { ...own('@sigstore/bundle'), ...own(verify), TrustedRoot: inner('@sigstore/protobuf-specs').TrustedRoot }
  } catch (cause) {
    if (!isErrno(cause, 'MODULE_NOT_FOUND') && !isErrno(cause, 'ERR_MODULE_NOT_FOUND')) throw cause
    const message = `certificates are verified by optional packages, which are not installed: npm install ${NEEDED.replace(' and', '')}`
    throw new TrustError('ERR_TRUST_PACKAGE', message, {}, { cause })
  }
}
