import { SandboxError } from '../../../errors/index.ts'
import type { AbortOptions } from '../../../internal/abort.ts'
import { runProgram } from '../process/run-program.ts'
import { confinedWords } from './run-confined.ts'

/**
 * Resolves to the reason why a command cannot be started as processes are started; `undefined` if it can and ends well.
 * A program that is missing is a reason, too.
 *
 * The command is started by the same programs. Root of a container often may not create namespaces: `runc --version`
 * works there, and each step would fail.
 */
export async function confinedFault(
  command: () => readonly string[],
  { signal }: AbortOptions = {},
): Promise<string | undefined> {
  const output: Uint8Array[] = []
  try {
    const [program = '', ...args] = confinedWords(command())
    const { code } = await runProgram(program, args, { signal, onOutput: chunk => output.push(chunk) })
    if (code === 0) return undefined
    const said = Buffer.concat(output).toString('utf8').trim()
    return said === '' ? `exit code ${code}` : said
  } catch (error) {
    if (SandboxError.is(error)) return error.message
    throw error
  }
}
