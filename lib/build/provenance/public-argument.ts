import { seemsSecret } from '../../dockerfile/index.ts'
import { withoutSecrets } from '../../internal/without-credentials.ts'

/**
 * Returns the value of a build argument for a document that is published: `xxxxx` if the name says that it is a secret,
 * and without passwords in addresses.
 */
export function publicArgument(name: string, value: string): string {
  return seemsSecret(name) ? 'xxxxx' : withoutSecrets(value, 'xxxxx:xxxxx@')
}
