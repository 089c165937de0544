import { generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto'

/** A private key and its certificate, both as PEM. */
export interface KeyAndCertificate {
  readonly key: string
  readonly cert: string
}

/** Options of a certificate. The rest is fixed: a P-256 key, two days, `localhost` and 127.0.0.1. */
export interface CertificateOptions {
  readonly commonName: string
  /** The authority that signs the certificate. @default the certificate signs itself */
  readonly issuer?: KeyAndCertificate & { readonly commonName: string }
  /** Whether the certificate may sign other certificates. @default true if it signs itself */
  readonly isAuthority?: boolean
}

/**
 * Creates a key and a certificate for it, by RFC 5280 §4.1. Node can read certificates but not write them, and the
 * tests must run without openssl.
 */
export function makeCertificate({ commonName, issuer, ...options }: CertificateOptions): KeyAndCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const signer = issuer?.key ?? privateKey
  const day = 24 * 60 * 60 * 1000
  const contents = sequence(
    der(0xa0, der(0x02, Buffer.of(2))), // version 3
    der(0x02, Buffer.of(1), randomBytes(8)), // serial number
    ECDSA_WITH_SHA256,
    nameOf(issuer?.commonName ?? commonName),
    sequence(utcTime(Date.now() - day), utcTime(Date.now() + day)),
    nameOf(commonName),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(basicConstraints(options.isAuthority ?? !issuer), subjectAltName())),
  )
  const signature = der(0x03, Buffer.of(0), sign('sha256', contents, signer))
  const certificate = new X509Certificate(sequence(contents, ECDSA_WITH_SHA256, signature))
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert: certificate.toString() }
}

/** Encodes one DER element: tag, length, content (X.690 §8.1). */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const contents = Buffer.concat(parts)
  const length = contents.length
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...head), contents])
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, ...parts)
}

/** Encodes an object identifier, given in hex. */
function identifier(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'))
}

function nameOf(commonName: string): Buffer {
  const value = der(0x0c, Buffer.from(commonName))
  return sequence(der(0x31, sequence(identifier('550403'), value))) // 2.5.4.3
}

/** `YYMMDDHHMMSSZ`, in UTC. */
function utcTime(at: number): Buffer {
  const text = new Date(at).toISOString().replace(/^\d\d|\.\d+|[-T:]/g, '')
  return der(0x17, Buffer.from(text))
}

function basicConstraints(isAuthority: boolean): Buffer {
  const contents = isAuthority ? sequence(der(0x01, Buffer.of(0xff))) : sequence()
  return sequence(identifier('551d13'), der(0x04, contents)) // 2.5.29.19
}

function subjectAltName(): Buffer {
  const names = sequence(der(0x82, Buffer.from('localhost')), der(0x87, Buffer.of(127, 0, 0, 1)))
  return sequence(identifier('551d11'), der(0x04, names)) // 2.5.29.17
}

const ECDSA_WITH_SHA256 = sequence(identifier('2a8648ce3d040302')) // 1.2.840.10045.4.3.2
