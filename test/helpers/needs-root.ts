import { needs } from './needs.ts'

/** Whether a test that needs root can run. If not, says so; in CI, where it has to, throws. */
export function needsRoot(): boolean {
  const isRoot = process.geteuid?.() === 0
  if (!isRoot && process.env.CI) throw new Error('tests that need root have to run as root')
  return needs(isRoot, 'needs root')
}
