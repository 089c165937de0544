/** True if the condition of a test holds. If not, prints the reason for which the test is skipped. */
export function needs(isThere: boolean, reason: string): boolean {
  if (!isThere) console.warn(`skipped: ${reason}`)
  return isThere
}
