import { CommanderError } from 'commander'
import { LayerStoreError } from '../errors/index.ts'
import { printJson, printLines } from './printing/print.ts'
import { createProgram, type InSession } from './program.ts'
import { type GlobalOptions, Session } from './session.ts'
import type { Terminal } from './terminal.ts'

/** Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted (128 + SIGINT, as shells report it). */
export type ExitCode = 0 | 1 | 2 | 130

/** Runs one command line and resolves to its exit code. Never throws, never exits the process. */
export async function runCli(args: readonly string[], terminal: Terminal, version: string): Promise<ExitCode> {
  const json = args.includes('--json')
  const outcome: Outcome = { exit: 0, left: [] }
  const program = createProgram(
    inSessionOf(terminal, () => program.opts<GlobalOptions>(), outcome),
    version,
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
    return report(error, terminal, { json, ...outcome })
  }
}

interface Outcome {
  exit: ExitCode
  left: readonly string[]
  /** Description of the wait in which the command was interrupted. */
  waitingFor?: string | undefined
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
      outcome.waitingFor = session.waitingFor
    }
  }
}

function report(
  error: unknown,
  terminal: Terminal,
  { json, left, waitingFor }: Pick<Outcome, 'left' | 'waitingFor'> & { json: boolean },
): ExitCode {
  if (error instanceof CommanderError && error.exitCode === 0) return 0
  const { code, message, exit } = describe(error, terminal, waitingFor)
  if (json) {
    printJson(terminal.stdout, { error: { code, message, ...(left.length > 0 && { left }) } })
    return exit
  }
  const lines = left.slice(0, SHOWN).map(path => `left behind: ${JSON.stringify(path)}`)
  if (left.length > SHOWN) lines.push(`and ${left.length - SHOWN} more; --json lists all`)
  printLines(terminal.stderr, [...lines, `layerstore: ${message} (${code})`])
  return exit
}

function describe(
  error: unknown,
  terminal: Terminal,
  waitingFor: string | undefined,
): { code: string; message: string; exit: ExitCode } {
  if (terminal.signal.aborted) {
    const message = waitingFor === undefined ? 'stopped' : `stopped while ${oneLine(waitingFor)}`
    return { code: 'ERR_ABORTED', message, exit: 130 }
  }
  if (error instanceof CommanderError) {
    // Commander throws `commander.help` if no command is given.
    const message = error.code === 'commander.help' ? 'no command given; see layerstore --help' : error.message
    return { code: 'ERR_USAGE', message: oneLine(message.replace(/^error: /, '')), exit: 2 }
  }
  if (LayerStoreError.is(error)) {
    return { code: error.code, message: oneLine(error.message), exit: error.code === ('ERR_USAGE' as string) ? 2 : 1 }
  }
  const { code } = error as { code?: unknown }
  const message = error instanceof Error ? error.message : String(error)
  return { code: typeof code === 'string' ? code : 'ERR_UNEXPECTED', message: oneLine(message), exit: 1 }
}

/** Joins the lines of a message; messages of other programs may have several. */
function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ')
}
