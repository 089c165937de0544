import { isatty } from 'node:tty'
import type { ProcessExit, ProcessSpec } from '../executor.ts'
import { limitProcess } from '../limits/limit-process.ts'
import { requireSystemProgram } from '../process/find-system-program.ts'
import { type RunProgramOptions, runProgram } from '../process/run-program.ts'
import { shellWord } from '../process/shell-word.ts'

/** Number of process namespaces between this process and a confined one: the outer one, and that of the executor. */
const DEPTH = 2

/** Options of {@link runConfined}. */
export interface RunConfinedOptions
  extends Pick<RunProgramOptions, 'inputs' | 'directory' | 'onOutput' | 'onStart' | 'output' | 'signal' | 'stdin'>,
    Pick<ProcessSpec, 'limits' | 'terminal' | 'user'> {
  /** True if the command makes a terminal for the process if it has one itself. @defaultValue false */
  readonly makesTerminal?: boolean | undefined
}

/**
 * Runs a command that starts a process in a process namespace of its own. When this process ends, by whatever cause,
 * the command and everything that it started are killed.
 *
 * SAFETY: the kernel forgets that a process ends with its parent when the process changes its user, as a step may do.
 * The outer namespace is the answer: its first process changes nothing, and the kernel kills a namespace with it.
 */
export async function runConfined(command: readonly string[], options: RunConfinedOptions): Promise<ProcessExit> {
  const { limits = {}, terminal = false, stdin, makesTerminal = false } = options
  const needsTerminal = terminal && !(makesTerminal && stdin === 'inherit' && isatty(0))
  const bound = confinedWords(command)
  // The end of the input would be typed into the terminal.
  const input = terminal && (stdin ?? 'empty') === 'empty' ? 'silent' : stdin
  return limitProcess(options, prefix => {
    const [program = '', ...args] = [...prefix, ...(needsTerminal ? withTerminal(bound) : bound)]
    const { seconds } = limits
    // Ctrl-C at a terminal stops the build, which then stops this.
    return runProgram(program, args, { ...options, stdin: input, seconds, depth: DEPTH, detached: !terminal })
  })
}

/** The words that start a command in a process namespace which ends with this process. */
export function confinedWords(command: readonly string[]): string[] {
  return [
    ...[requireSystemProgram('setpriv', 'util-linux'), '--pdeathsig', 'KILL'],
    ...[requireSystemProgram('unshare', 'util-linux'), '--pid', '--fork', '--kill-child'],
    ...command,
  ]
}

/** The command with a terminal of its own, which `script` creates and connects with the one of this process. */
function withTerminal(command: readonly string[]): string[] {
  const line = `exec ${command.map(shellWord).join(' ')}`
  const script = [requireSystemProgram('script', 'bsdutils'), '--quiet', '--return', '--flush', '--command', line]
  return [requireSystemProgram('setpriv', 'util-linux'), '--pdeathsig', 'KILL', ...script, '/dev/null']
}
