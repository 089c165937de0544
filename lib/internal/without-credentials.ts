/**
 * Returns a text with user and password of its addresses replaced, as BuildKit does.
 *
 * SAFETY: messages and progress get into logs; `https://user:token@host` would put the token there. The pattern begins
 * with the `://` and not with the name of the protocol: a long word of letters would be read once for each of them.
 */
export function withoutCredentials(text: string): string {
  return text.replace(/:\/\/[^\s/@]*@/g, '://xxxxx:xxxxx@')
}
