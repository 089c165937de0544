import { CommanderError } from 'commander'
import { BuildError, DockerfileError } from '../errors/index.ts'
import { describeFailure, type FailureContext } from './failing/describe-failure.ts'
import type { ExitCode } from './failing/exit-code.ts'
import { explainUsage, parseWords } from './failing/explain-usage.ts'
import { OutputError } from './failing/output-error.ts'
import { UsageError } from './failing/usage-error.ts'
import { printJson, printLines } from './printing/print.ts'
import type { Terminal } from './printing/terminal.ts'
import type { InSession } from './program/parts.ts'
import { createProgram } from './program.ts'
import { runFailure } from './running/run-failure.ts'
import { type GlobalOptions, Session } from './session/session.ts'

/** Runs one command line and resolves to its exit code. Never throws, never exits the process. */
export async function runCli(args: readonly string[], terminal: Terminal, version: string): Promise<ExitCode> {
  const json = /(^| )--(json|output[ =]json)( |$)/.test(args.join(' '))
  const outcome: Outcome = { exit: 0, left: [], context: {} }
  const program = createProgram(
    inSessionOf(terminal, () => program.opts<GlobalOptions>(), outcome),
    version,
    // An option before the command may have a value, so that only the first word tells.
    args[0]?.startsWith('-') === false ? args[0] : undefined,
  )
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: text => void terminal.stdout.write(text),
      writeErr: () => {},
    })
  }
  try {
    await program.parseAsync([...args], { from: 'user' })
    return outcome.exit
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    if (!(error instanceof CommanderError)) return report(error, terminal, { json, ...outcome })
    const usage = new UsageError(explainUsage(error, program, args))
    const [word = ''] = parseWords(program, args).operands
    const context = { ...outcome.context, failureExit: RUNNING.includes(word) ? runFailure : undefined }
    return report(usage, terminal, { json, ...outcome, context })
  }
}

/** Commands whose exit code is that of a process. */
const RUNNING = ['run', 'start']

interface Outcome {
  exit: ExitCode
  left: readonly string[]
  context: Omit<FailureContext, 'signal'>
}

/** Number of left-behind paths that are printed; `--json` has all. */
const SHOWN = 20

/** Opens sessions with the global options, which may be given before or after the command; the latter win. */
function inSessionOf(terminal: Terminal, before: () => GlobalOptions, outcome: Outcome): InSession {
  return async (options, act) => {
    await using session = new Session(terminal, { ...before(), ...options })
    try {
      await act(session)
      outcome.exit = session.exit
    } finally {
      outcome.left = session.left
      outcome.context = session.failureContext
    }
  }
}

function report(
  error: unknown,
  terminal: Terminal,
  { json, left, context }: Pick<Outcome, 'left' | 'context'> & { json: boolean },
): ExitCode {
  // The program has printed this error, and stdout takes no more.
  if (terminal.signal.reason instanceof OutputError) return 1
  const { code, message, exit } = describeFailure(error, { ...context, signal: terminal.signal })
  if (json) {
    const command = error instanceof BuildError && error.command ? { command: error.command } : {}
    printJson(terminal.stdout, { error: { code, message, ...command, ...(left.length > 0 && { left }) } })
    return exit
  }
  const lines = left.slice(0, SHOWN).map(path => `left behind: ${JSON.stringify(path)}`)
  if (left.length > SHOWN) lines.push(`and ${left.length - SHOWN} more; --json lists all`)
  printLines(terminal.stderr, [...lines, ...frameOf(error), `layerstore: ${message} (${code})`])
  return exit
}

/** The lines of a Dockerfile round the place at fault. */
function frameOf(error: unknown): string[] {
  const shown = error instanceof DockerfileError || error instanceof BuildError
  return shown ? (error.frame?.split('\n') ?? []) : []
}
