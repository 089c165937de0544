/** Whether what a test needs is there. If it is not, prints why the test is skipped. */
export function needs(isThere: boolean, reason: string): boolean {
  if (!isThere) console.warn(`skipped: ${reason}`)
  return isThere
}
