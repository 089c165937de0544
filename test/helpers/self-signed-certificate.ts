import { type KeyAndCertificate, makeCertificate } from './make-certificate.ts'

/** A fresh key and a certificate for `localhost` and 127.0.0.1 that no authority has signed. */
export function selfSignedCertificate(): KeyAndCertificate {
  return makeCertificate({ commonName: 'localhost' })
}
