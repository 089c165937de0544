/** Whether a test that needs root can run. If not, says so; in CI, where it has to, throws. */
export function needsRoot(): boolean {
  if (process.geteuid?.() === 0) return true
  if (process.env.CI) throw new Error('tests that need root have to run as root')
  console.warn('skipped: needs root')
  return false
}
