import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  DockerfileError,
  type LintDockerfileOptions,
  type LintFinding,
  type LintIgnoreRules,
  type LintReport,
  lintDockerfile,
  parseDockerfile,
} from '../../../dockerfile/index.ts'
import { collectBytes } from '../../../internal/collect-bytes.ts'
import { createIgnoreRules, parseIgnoreFile } from '../../../layer/index.ts'
import { stdinOf } from '../../arguments/stdin-of.ts'
import { fileFault } from '../../failing/file-fault.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { countOf } from '../../printing/count-of.ts'
import { printJson } from '../../printing/print.ts'
import type { Session } from '../../session/session.ts'

/** Options of `lint`. */
export interface LintOptions {
  readonly buildArg?: readonly string[]
  readonly target?: string
  readonly platform?: string
  readonly strict?: boolean
}

/** Largest Dockerfile that is read from stdin. */
const MOST_BYTES = 64 * 1024 * 1024

/**
 * `lint [FILE]`: checks a Dockerfile and prints what was found. Ends with 1 if the file is broken or has warnings, as
 * `docker build --check` does; with `--strict` for advice too.
 */
export async function lint(session: Session, file: string, options: LintOptions): Promise<void> {
  const piped = file === '-'
  const text = piped ? await readStdin(session) : await readDockerfile(file)
  const { target, platform, strict = false } = options
  checkDockerfile(session, text, {
    file: piped ? 'stdin' : file,
    strict,
    rules: {
      buildArgs: buildArguments(options.buildArg ?? []),
      ...(target !== undefined && { target }),
      ...(platform !== undefined && { platform }),
      ...(piped ? {} : await ignoreRulesFor(file)),
    },
  })
}

/** Options of {@link checkDockerfile}. */
export interface CheckOptions {
  /** Name of the file as it is shown. */
  readonly file: string
  /** Advice fails the command as well. */
  readonly strict: boolean
  /** Print JSON, whatever the session prints. */
  readonly json?: boolean
  readonly rules: LintDockerfileOptions
}

/** Checks the text of a Dockerfile, prints what was found, and sets the exit code; for `lint` and `build --check`. */
export function checkDockerfile(session: Session, text: string, options: CheckOptions): void {
  const { file, strict, json = false, rules } = options
  const report = check(text, file, rules)
  const { findings, error } = report
  const count = (severity: LintFinding['severity']) => findings.filter(found => found.severity === severity).length
  const data = { ...report, ...(error && { error: errorData(error) }) }
  if (json) printJson(session.terminal.stdout, data)
  else session.result(linesOf(report, file), data)
  const errors = error ? ['1 error'] : []
  const advice = count('advice') === 1 ? '1 piece of advice' : `${count('advice')} pieces of advice`
  session.note(`${file}: ${[...errors, countOf(count('warning'), 'warning'), advice].join(', ')}`)
  if (error || count('warning') > 0 || (strict && findings.length > 0)) session.exit = 1
}

async function readStdin(session: Session): Promise<string> {
  return Buffer.from(await collectBytes(stdinOf(session), MOST_BYTES, 'Dockerfile bytes')).toString()
}

function check(text: string, file: string, options: LintDockerfileOptions): LintReport {
  try {
    return lintDockerfile(parseDockerfile(text, { file }), options)
  } catch (error) {
    if (error instanceof DockerfileError) return { findings: [], failsBuild: false, error }
    throw error
  }
}

function buildArguments(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map(text => {
      const equals = text.indexOf('=')
      if (equals < 1) throw new UsageError(`--build-arg takes NAME=VALUE, not ${JSON.stringify(text)}`)
      return [text.slice(0, equals), text.slice(equals + 1)]
    }),
  )
}

async function readDockerfile(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(cause => {
    throw fileFault('lint', file, cause)
  })
}

/** The ignore file beside the Dockerfile: one of its own name comes first. */
async function ignoreRulesFor(file: string): Promise<{ ignore?: LintIgnoreRules }> {
  for (const path of [`${file}.dockerignore`, join(dirname(file), '.dockerignore')]) {
    try {
      const patterns = parseIgnoreFile(await readFile(path, 'utf8'))
      return { ignore: { patterns, ignores: createIgnoreRules(patterns).ignores } }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw fileFault('lint', path, error)
    }
  }
  return {}
}

function linesOf({ findings, error }: LintReport, file: string): string[] {
  const found = findings.flatMap(({ rule, severity, message, hint, position }) => [
    `${file}:${position.line}:${position.column}: ${severity} ${rule}: ${message}`,
    `    ${hint}`,
  ])
  if (!error) return found
  return [...found, `error ${error.code}: ${error.message}`, ...(error.frame?.split('\n') ?? [])]
}

function errorData({ code, message, line, column, endLine, frame, hint }: DockerfileError) {
  return { code, message, line, column, endLine, frame, hint }
}
