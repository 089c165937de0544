import type { Authorize } from './access.ts'
import { isSameText } from './same-text.ts'

/**
 * Allows every action to the given users, and refuses all other requests. Passwords are compared in constant time.
 *
 * @example
 * ```ts
 * const server = createRegistryServer(store, { authorize: allowUsers({ ci: process.env.PASSWORD ?? '' }) })
 * ```
 *
 * @param users - Passwords by user name.
 */
export function allowUsers(users: Readonly<Record<string, string>>): Authorize {
  const passwords = new Map(Object.entries(users))
  return ({ username, password }) => {
    if (username === undefined || password === undefined) return false
    const expected = passwords.get(username)
    // SAFETY: an early return for an unknown user would be faster than a comparison and reveal the user names.
    return isSameText(password, expected ?? '') && expected !== undefined
  }
}
