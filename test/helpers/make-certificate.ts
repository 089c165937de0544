import { generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto'

/** A private key and the certificate of its public half, both as PEM. */
export interface KeyAndCertificate {
  readonly key: string
  readonly cert: string
}

/** Options of a certificate. The rest is fixed: a P-256 key, two days, `localhost` and 127.0.0.1. */
export interface CertificateOptions {
  readonly commonName: string
  /** The authority that signs it; without one, the certificate signs itself. */
  readonly issuer?: KeyAndCertificate & { readonly commonName: string }
  /** Whether it may sign other certificates. @default true where it signs itself */
  readonly isAuthority?: boolean
}

/**
 * Makes a fresh key and a certificate for it, as RFC 5280 §4.1 lays it out. Node can read certificates but not write
 * them, and the tests must run where there is no openssl.
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

/** One DER element: its tag, the length of what it holds, and that (X.690 §8.1). */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const contents = Buffer.concat(parts)
  const length = contents.length
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...head), contents])
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, ...parts)
}

/** An object identifier, by the octets of its encoding. */
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
