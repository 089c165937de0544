import type { AnyPlan, BlobProgress as BlobEvent, TransferProgress } from '../../transfer/index.ts'
import { formatBytes } from './format-bytes.ts'
import { printLines, printStyled, type Style } from './print.ts'
import { progressLine } from './progress-line.ts'
import { hasColors, type Terminal } from './terminal.ts'
import { TransferRate } from './transfer-rate.ts'

/** Shows a running transfer. Call `close` before printing anything else. */
export interface ProgressDisplay {
  onProgress(event: TransferProgress): void
  /** On a terminal, prints a line for each blob that need not be moved; a log has them in its last line. */
  showPresent(plan: AnyPlan): void
  /** Prints a note while the transfer runs. */
  note(text: string): void
  close(): void
}

/** Creates a display: bars on a terminal, else one line per finished blob; nothing with `quiet`. */
export function createProgressDisplay({ stderr, env }: Terminal, quiet: boolean): ProgressDisplay {
  if (quiet) return { onProgress: () => {}, showPresent: () => {}, note: () => {}, close: () => {} }
  return stderr.isTTY && env.TERM !== 'dumb' ? new Bars(stderr, hasColors(env)) : new Lines(stderr)
}

const DONE: Readonly<Record<string, string>> = {
  done: 'done',
  present: 'already there',
  mounted: 'mounted from another repository',
}

type Finished = Pick<BlobEvent, 'digest' | 'size' | 'state'>

function finishedLine(event: Finished): string {
  return `${shortHex(event)}: ${DONE[event.state]} (${formatBytes(event.size)})`
}

function shortHex({ digest }: { readonly digest: string }): string {
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

  showPresent(): void {}

  note(text: string): void {
    this.#toldAt = performance.now()
    printLines(this.#stderr, text)
  }

  close(): void {}
}

const FRAME_MS = 100
const STYLES: Readonly<Record<string, Style>> = { done: 'green', present: 'dim', mounted: 'dim' }

/** A blob that moves, and its rate. */
interface Moving {
  event: BlobEvent
  readonly rate: TransferRate
}

/** Draws one bar per moving blob, in place; finished blobs scroll away above the bars. */
class Bars implements ProgressDisplay {
  readonly #stderr: Terminal['stderr']
  readonly #colors: boolean
  readonly #moving = new Map<string, Moving>()
  readonly #total = new TransferRate()
  readonly #timer: NodeJS.Timeout
  #latest: BlobEvent | undefined
  #drawnAt = Number.NEGATIVE_INFINITY
  #drawn = 0

  constructor(stderr: Terminal['stderr'], colors: boolean) {
    this.#stderr = stderr
    this.#colors = colors
    // Rates fall while nothing arrives.
    this.#timer = setInterval(() => this.#draw(), FRAME_MS)
    this.#timer.unref()
  }

  onProgress(event: TransferProgress): void {
    if (event.type !== 'blob') return
    const now = performance.now()
    this.#latest = event
    this.#total.add(event.totalBytes, now)
    if (event.state in DONE) {
      this.#moving.delete(event.digest)
      this.#finish(event)
    } else {
      const known = this.#moving.get(event.digest)
      const moving = known ?? { event, rate: new TransferRate() }
      moving.event = event
      moving.rate.add(event.bytes, now)
      this.#moving.set(event.digest, moving)
    }
    // PERF: blocks arrive far more often than a terminal can draw.
    if (now - this.#drawnAt >= FRAME_MS) this.#draw()
  }

  note(text: string): void {
    this.#erase()
    printLines(this.#stderr, text)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#erase()
    this.#moving.clear()
  }

  showPresent({ steps }: AnyPlan): void {
    for (const { need, kind, descriptor } of steps) {
      const { digest, size } = descriptor
      // A push sends the manifest anyway, to set the tag.
      if (need === 'present' && kind !== 'manifest' && kind !== 'index')
        this.#finish({ digest: digest as BlobEvent['digest'], size, state: 'present' })
    }
  }

  #finish(event: Finished): void {
    this.#erase()
    const style = this.#colors ? STYLES[event.state] : undefined
    if (style) printStyled(this.#stderr, style, finishedLine(event))
    else printLines(this.#stderr, finishedLine(event))
  }

  #erase(): void {
    // A terminal echoes Ctrl-C, which moves the cursor from the first column.
    if (this.#drawn > 0) this.#stderr.write(`\r\u001b[${this.#drawn}A\u001b[0J`)
    this.#drawn = 0
    // The next event draws the bars again.
    this.#drawnAt = Number.NEGATIVE_INFINITY
  }

  #draw(): void {
    this.#erase()
    const now = performance.now()
    this.#drawnAt = now
    // A terminal without a size, as that of script(1) in a pipe, says 0.
    const width = Math.max(20, this.#stderr.columns || 80)
    const rows = this.#stderr.rows || 24
    // Lines above the top of the screen could not be erased.
    const most = Math.max(1, rows - 4)
    const shown = [...this.#moving.values()].slice(0, most)
    if (shown.length === 0 || !this.#latest) return
    const lines = shown.map(({ event, rate }) =>
      progressLine({ label: shortHex(event), bytes: event.bytes, size: event.size, rate: rate.at(now) }, width),
    )
    if (this.#moving.size > most) lines.push(`and ${this.#moving.size - most} more`)
    const { totalBytes: bytes, totalSize: size } = this.#latest
    lines.push(progressLine({ label: 'total', bytes, size, rate: this.#total.at(now) }, width))
    printLines(this.#stderr, lines)
    this.#drawn = lines.length
  }
}
