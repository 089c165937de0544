/**
 * Returns a text with user and password of its addresses replaced, as BuildKit does.
 *
 * SAFETY: messages and progress get into logs; `https://user:token@host` would put the token there. The pattern begins
 * with the `://` and not with the name of the protocol: a long word of letters would be read once for each of them. The
 * host begins after the last `@`, as for git and curl: a password may have one too.
 */
export function withoutCredentials(text: string): string {
  return text.replace(/:\/\/[^\s/]*@/g, '://xxxxx:xxxxx@')
}

/**
 * Returns a text without the secrets of its addresses, for what is kept and has to stay usable: the user of
 * `ssh://git@host` stays, as it is no secret. The user of other protocols may be a token.
 *
 * @param put - Takes the place of user, password and `@`.
 */
export function withoutSecrets(text: string, put: '' | 'xxxxx:xxxxx@'): string {
  return text.replace(/(?<!ssh):\/\/[^\s/]*@|:\/\/[^\s/@:]*:[^\s/]*@/g, `://${put}`)
}
