import type { RegistryRequestEvent } from '../../server/index.ts'
import { printJson, printLines } from '../printing/print.ts'
import type { Session } from '../session.ts'
import { type ErrorRecord, errorRecord, errorText } from './error-record.ts'

/**
 * The log of `serve`, on stderr: errors always, every request with `--log`; one JSON document a line with `--json`.
 *
 * SAFETY: paths and names come from clients. A line is a line, whatever they hold.
 */
export class ServeLog {
  readonly #session: Session
  readonly #all: boolean
  /** One failure of the upstream registry is the reason of many answers. */
  readonly #told = new WeakSet<object>()

  constructor(session: Session, all: boolean) {
    this.#session = session
    this.#all = all
  }

  /** A request has been answered. */
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

  /** Something failed that no request waits for. */
  failure(error: unknown): void {
    const record = errorRecord(error)
    this.#write(`error: ${errorText(record)}`, { level: 'error', error: record })
  }

  /** Something that the person should know before others find it out. */
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

/** Failures, not refusals: of the server (500 and more, or a broken answer), or of the upstream registry behind a good one. */
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
