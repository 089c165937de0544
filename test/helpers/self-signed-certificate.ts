import { type KeyAndCertificate, makeCertificate } from './make-certificate.ts'

/** Creates a key and a self-signed certificate for `localhost` and 127.0.0.1. */
export function selfSignedCertificate(): KeyAndCertificate {
  return makeCertificate({ commonName: 'localhost' })
}
