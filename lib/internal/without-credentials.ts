/**
 * Returns a text with user and password of its addresses replaced, as BuildKit does.
 *
 * SAFETY: messages and progress get into logs; `https://user:token@host` would put the token there.
 */
export function withoutCredentials(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]*@/gi, '$1xxxxx:xxxxx@')
}
