import { needs } from './needs.ts'

/** True if a test that needs root can run. If not, prints so; in CI, where it must run, throws. */
export function needsRoot(): boolean {
  const isRoot = process.geteuid?.() === 0
  if (!isRoot && process.env.CI) throw new Error('tests that need root have to run as root')
  return needs(isRoot, 'needs root')
}
