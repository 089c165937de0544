import type { Position } from '../../dockerfile/index.ts'

/** SPEC: BuildKit's subrequests have one range for each line. */
export function locationOf({ line, endLine }: Position) {
  const ranges = Array.from({ length: endLine - line + 1 }, (_, i) => ({
    start: { line: line + i },
    end: { line: line + i },
  }))
  return { ranges }
}
