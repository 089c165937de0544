import type { BlobProgress as BlobEvent, TransferProgress } from '../../transfer/index.ts'
import { formatBytes } from './format-bytes.ts'
import { printLines } from './print.ts'
import type { Terminal } from './terminal.ts'

/** Shows a running transfer. Call `close` before printing anything else. */
export interface ProgressDisplay {
  onProgress(event: TransferProgress): void
  /** Prints a note while the transfer runs. */
  note(text: string): void
  close(): void
}

/** Creates a display: bars on a terminal, else one line per finished blob; nothing with `quiet`. */
export function createProgressDisplay({ stderr }: Terminal, quiet: boolean): ProgressDisplay {
  if (quiet) return { onProgress: () => {}, note: () => {}, close: () => {} }
  return stderr.isTTY ? new Bars(stderr) : new Lines(stderr)
}

const DONE: Readonly<Record<string, string>> = {
  done: 'done',
  present: 'already there',
  mounted: 'mounted from another repository',
}

function finishedLine(event: BlobEvent): string {
  return `${shortHex(event)}: ${DONE[event.state]} (${formatBytes(event.size)})`
}

function shortHex({ digest }: BlobEvent): string {
  const start = digest.indexOf(':') + 1
  return digest.slice(start, start + 12)
}

/** Interval of progress lines in a log while no blob ends. */
const LOG_INTERVAL_MS = 10_000

class Lines implements ProgressDisplay {
  readonly #stderr: Terminal['stderr']
  #toldAt = performance.now()

  constructor(stderr: Terminal['stderr']) {
    this.#stderr = stderr
  }

  onProgress(event: TransferProgress): void {
    if (event.type === 'blob' && event.state in DONE) this.note(finishedLine(event))
    if (event.type !== 'total' || performance.now() - this.#toldAt < LOG_INTERVAL_MS) return
    this.note(`total: ${formatBytes(event.bytes)} of ${formatBytes(event.size)}`)
  }

  note(text: string): void {
    this.#toldAt = performance.now()
    printLines(this.#stderr, text)
  }

  close(): void {}
}

/** Draws one bar per moving blob, in place; finished blobs scroll away above the bars. */
class Bars implements ProgressDisplay {
  readonly #stderr: Terminal['stderr']
  readonly #moving = new Map<string, BlobEvent>()
  #drawn = 0

  constructor(stderr: Terminal['stderr']) {
    this.#stderr = stderr
  }

  onProgress(event: TransferProgress): void {
    if (event.type !== 'blob') return
    const finished = event.state in DONE
    if (finished) this.#moving.delete(event.digest)
    else this.#moving.set(event.digest, event)
    this.#erase()
    if (finished) printLines(this.#stderr, finishedLine(event))
    this.#draw(event)
  }

  note(text: string): void {
    this.#erase()
    printLines(this.#stderr, text)
  }

  close(): void {
    this.#erase()
    this.#moving.clear()
  }

  #erase(): void {
    if (this.#drawn > 0) this.#stderr.write(`\u001b[${this.#drawn}A\u001b[0J`)
    this.#drawn = 0
  }

  #draw(latest: BlobEvent): void {
    const lines = [...this.#moving.values()].map(event => this.#bar(shortHex(event), event.bytes, event.size))
    if (lines.length === 0) return
    lines.push(this.#bar('total', latest.totalBytes, latest.totalSize))
    printLines(this.#stderr, lines)
    this.#drawn = lines.length
  }

  #bar(label: string, bytes: number, size: number): string {
    const share = size > 0 ? Math.min(1, Math.max(0, bytes / size)) : 1
    const width = Math.max(10, Math.min(40, (this.#stderr.columns ?? 80) - 40))
    const filled = Math.round(share * width)
    const amount = `${formatBytes(Math.max(0, bytes))}/${formatBytes(size)}`
    return `${label.padEnd(12)} [${'='.repeat(filled)}${' '.repeat(width - filled)}] ${amount}`
  }
}
