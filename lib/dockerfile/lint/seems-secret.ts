const SECRET = /(?:_|^)(?:apikey|auth|credential|credentials|key|password|pword|passwd|secret|token)(?:_|$)/i
const NO_SECRET = /(?:_|^)(?:public|file|version)(?:_|$)/i

/**
 * True if the name of a variable says that its value is a secret, by the words of BuildKit's check
 * `SecretsUsedInArgOrEnv`.
 *
 * @internal
 */
export function seemsSecret(name: string): boolean {
  return SECRET.test(name) && !NO_SECRET.test(name)
}
