/** What has been printed in this test file. */
const printed = new Set<string>()

/** Whether what a test needs is there. If it is not, prints why tests are skipped, once for each reason. */
export function needs(isThere: boolean, reason: string): boolean {
  if (!isThere && !printed.has(reason)) console.warn(`skipped: ${reason}`)
  if (!isThere) printed.add(reason)
  return isThere
}
