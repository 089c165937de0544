import { SandboxError } from '../../errors/index.ts'
import type { ExitCode } from '../failing/exit-code.ts'

/** SPEC: docker run, exit status: 125 no process, 126 it cannot be executed, 127 it does not exist. */
const FAILED = 125
const NOT_EXECUTABLE = 126
const NOT_FOUND = 127

/** Exit code of `run` and `start` for an error, as `docker run` has it. */
export function runFailure(error: unknown): ExitCode {
  if (!SandboxError.is(error) || (error as SandboxError).code !== 'ERR_SANDBOX_PROGRAM') return FAILED
  return / does not exist | is in none of /.test((error as SandboxError).message) ? NOT_FOUND : NOT_EXECUTABLE
}
