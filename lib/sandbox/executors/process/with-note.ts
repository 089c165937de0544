import type { ProcessExit } from '../executor.ts'

/** Adds a possible cause of the failure to the end of a process that failed. */
export function withNote(exit: ProcessExit, note: string): ProcessExit {
  if (exit.code === 0) return exit
  return { ...exit, note: exit.note === undefined ? note : `${exit.note}; ${note}` }
}
