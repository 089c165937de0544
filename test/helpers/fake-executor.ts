import { join } from 'node:path'
import type { Executor, ProcessSpec } from '../../lib/sandbox/index.ts'

/** An executor that calls a function instead of a program; the function gets the process and a path inside its root. */
export function fakeExecutor(
  act: (process: ProcessSpec, inRoot: (path: string) => string) => Promise<number | undefined> | number | undefined,
): Executor & { readonly ran: ProcessSpec[] } {
  const ran: ProcessSpec[] = []
  return {
    name: 'fake',
    ran,
    probe: async () => ({ works: true }),
    async run(process) {
      ran.push(process)
      const code = await act(process, path => join(process.root, path))
      return { code: code ?? 0 }
    },
  }
}
