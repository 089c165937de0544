import type { Credential } from '../credentials/credential.ts'

/** Builds the `Authorization` header of basic authentication; `undefined` without credentials. */
export function basicHeader(credential: Credential | undefined): string | undefined {
  const secret = credential?.password ?? credential?.identityToken
  if (secret === undefined) return undefined
  return `Basic ${Buffer.from(`${credential?.username ?? ''}:${secret}`, 'utf8').toString('base64')}`
}
