import { BuildError, LayerStoreError, StoreError } from '../../errors/index.ts'
import { adviceOn } from './advice.ts'
import type { ExitCode } from './exit-code.ts'

/** Activity of a command when it failed, as messages need it. */
export interface FailureContext {
  /** Aborted if the user or the system stopped the command. */
  readonly signal: AbortSignal
  /** Description of the wait in which the command was stopped. */
  readonly waitingFor?: string | undefined
  /** Part of an unfinished transfer that is kept for the next attempt. */
  readonly kept?: string | undefined
  /** Advice of the command itself; precedes the general one. */
  readonly advice?: string | undefined
  /** Exit code that the command itself gives to an error. */
  readonly failureExit?: ((error: unknown) => ExitCode) | undefined
  /** Directories of the stores that the command has opened. */
  readonly stores?: readonly string[] | undefined
}

/** A failure, ready to be printed. */
export interface DescribedFailure {
  readonly code: string
  /** One line. */
  readonly message: string
  readonly exit: ExitCode
}

/** Errors after which the same command continues where it ended. */
const RESUMED: readonly string[] = ['ERR_NETWORK', 'ERR_RATE_LIMITED']

/** Describes any thrown value: its code, one line for people, and the exit code. */
export function describeFailure(error: unknown, context: FailureContext): DescribedFailure {
  const { signal, advice } = context
  if (signal.aborted) return describeStop(context)
  const exit = context.failureExit?.(error)
  if (LayerStoreError.is(error)) {
    const kept = RESUMED.includes(error.code) ? context.kept : undefined
    const parts = [atStore(error, context.stores ?? []), advice ?? adviceOn(error), kept]
    const message = parts.filter(Boolean).join('; ')
    const usual = error.code === ('ERR_USAGE' as string) ? 2 : 1
    return { code: error.code, message: oneLine(message), exit: exit ?? usual }
  }
  const { code } = error as { code?: unknown }
  const message = error instanceof Error ? error.message : String(error)
  return { code: typeof code === 'string' ? code : 'ERR_UNEXPECTED', message: oneLine(message), exit: exit ?? 1 }
}

function describeStop({ signal, waitingFor, kept }: FailureContext): DescribedFailure {
  const doing = waitingFor === undefined ? 'stopped' : `stopped while ${oneLine(waitingFor)}`
  const message = kept === undefined ? doing : `${doing}; ${kept}`
  // As shells report it: 128 and the number of the signal.
  const exit = (signal.reason as Error | undefined)?.message === 'SIGTERM' ? 143 : 130
  return { code: 'ERR_ABORTED', message, exit }
}

/** The library names files relative to the store; here the store itself is named. */
function atStore(error: LayerStoreError, stores: readonly string[]): string {
  // Errors of archives and files have the code `ERR_STORE_IO` too, and name their file.
  // A step of a build carries the failure of the store.
  const fault = error instanceof BuildError && LayerStoreError.is(error.cause) ? error.cause : error
  const isOfStore =
    fault instanceof StoreError &&
    /^ERR_(STORE|INGEST|WRITER)_/.test(fault.code) &&
    (fault.code !== 'ERR_STORE_IO' || /^(could not \w+ (?!archive )|no room for a blob)/.test(fault.message))
  if (!isOfStore || stores.length === 0 || stores.some(store => error.message.includes(store))) return error.message
  return `${error.message}, in the store ${stores.join(' or ')}`
}

/** Joins the lines of a message; messages of other programs may have several. */
function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ')
}
