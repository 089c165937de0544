import type { Authorize } from './access.ts'
import { isSameText } from './same-text.ts'

/**
 * Lets these users do everything, and others nothing. Passwords are compared in constant time.
 *
 * @param users - Passwords by user name.
 */
export function allowUsers(users: Readonly<Record<string, string>>): Authorize {
  const passwords = new Map(Object.entries(users))
  return ({ username, password }) => {
    if (username === undefined || password === undefined) return false
    const expected = passwords.get(username)
    // SAFETY: unknown users take as long as known ones.
    return isSameText(password, expected ?? '') && expected !== undefined
  }
}
