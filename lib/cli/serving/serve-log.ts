import type { RegistryRequestEvent } from '../../server/index.ts'
import { printJson, printLines } from '../printing/print.ts'
import type { Session } from '../session/session.ts'
import { type ErrorRecord, errorRecord, errorText } from './error-record.ts'

/**
 * Log of `serve`, on stderr: errors always, every request with `--log`; with `--json` one JSON document per line.
 *
 * SAFETY: paths and names come from clients. A line break in one could fake a log line, so records are escaped to one
 * line.
 */
export class ServeLog {
  readonly #session: Session
  readonly #all: boolean
  /** Errors already logged: one failure of the upstream registry may cause many answers. */
  readonly #told = new WeakSet<object>()

  constructor(session: Session, all: boolean) {
    this.#session = session
    this.#all = all
  }

  /** Logs an answered request. */
  request(event: RegistryRequestEvent): void {
    if (!this.#all && !this.#isNews(event)) return
    const { error, ...rest } = event
    const record = error === undefined ? undefined : errorRecord(error)
    this.#write(requestText(rest, record), {
      level: isError(event) ? 'error' : 'info',
      ...rest,
      durationMs: Math.round(rest.durationMs),
      ...(record && { error: record }),
    })
  }

  /** Logs a failure outside of any request. */
  failure(error: unknown): void {
    const record = errorRecord(error)
    this.#write(`error: ${errorText(record)}`, { level: 'error', error: record })
  }

  /** Logs a warning about the configuration. */
  warning(message: string): void {
    if (this.#session.json) this.#write('', { level: 'warning', message })
    else this.#session.note(message)
  }

  #isNews(event: RegistryRequestEvent): boolean {
    const { error } = event
    if (!isError(event)) return false
    if (typeof error !== 'object' || error === null) return true
    const known = this.#told.has(error)
    this.#told.add(error)
    return !known
  }

  #write(text: string, members: object): void {
    const time = new Date().toISOString()
    const { stderr } = this.#session.terminal
    if (this.#session.json) printJson(stderr, { time, ...members })
    else printLines(stderr, `${time} ${text}`)
  }
}

/**
 * True for failures of the server (status 500 and above, or a broken answer) and of the upstream registry behind a good
 * answer; false for refusals.
 */
function isError({ status, error }: RegistryRequestEvent): boolean {
  return error !== undefined && (status < 400 || status >= 500)
}

function requestText(event: Omit<RegistryRequestEvent, 'error'>, error: ErrorRecord | undefined): string {
  const { client = '-', username, method, path, status, bytesSent, durationMs, complete } = event
  const user = username === undefined ? '-' : JSON.stringify(username)
  const end = complete ? '' : ' broken off'
  const what = `${client} ${user} ${method} ${path} ${status || '-'} ${bytesSent}B ${Math.round(durationMs)}ms${end}`
  return error ? `${what}: ${errorText(error)}` : what
}
