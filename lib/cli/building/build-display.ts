import type { BuildProgress } from '../../build/index.ts'
import { UsageError } from '../failing/usage-error.ts'
import { formatBytes } from '../printing/format-bytes.ts'
import { printJson, printLines } from '../printing/print.ts'
import type { Terminal } from '../printing/terminal.ts'
import { differenceText, warningText } from './explain-step.ts'
import { OutputLines } from './output-lines.ts'

/** Shows a running build. Call `close` before printing anything else. */
export interface BuildDisplay {
  onProgress(event: BuildProgress): void
  close(): void
}

/** Options for showing a build. */
export interface BuildDisplayOptions {
  /** Value of `--progress`; absent: `tty` on a terminal, else `plain`. */
  readonly progress?: string | undefined
  readonly quiet: boolean
  /** Say why a step was made. */
  readonly explain: boolean
}

/** Creates a display: running steps in place on a terminal, one line per event in logs, JSON lines for tools. */
export function createBuildDisplay({ stderr }: Terminal, options: BuildDisplayOptions): BuildDisplay {
  const { progress = stderr.isTTY ? 'tty' : 'plain', quiet, explain } = options
  if (!['plain', 'tty', 'json', 'auto', 'quiet'].includes(progress)) {
    throw new UsageError(`--progress takes plain, tty or json, not ${progress}`)
  }
  if (progress === 'json') return { onProgress: event => printJson(stderr, jsonEvent(event)), close: () => {} }
  if (quiet || progress === 'quiet') return { onProgress: () => {}, close: () => {} }
  const isTty = progress === 'tty' || (progress === 'auto' && stderr.isTTY === true)
  return isTty ? new RunningSteps(stderr, explain) : new StepLines(stderr, explain)
}

/** Plain lines: what begins, what ends and how, and what commands write. */
class StepLines implements BuildDisplay {
  readonly #stderr: Terminal['stderr']
  readonly #explain: boolean
  readonly #output = new OutputLines()

  constructor(stderr: Terminal['stderr'], explain: boolean) {
    this.#stderr = stderr
    this.#explain = explain
  }

  onProgress(event: BuildProgress): void {
    if (event.kind === 'warning') {
      printLines(this.#stderr, warningText(event))
      return
    }
    const at = `[${event.id}]`
    if (event.kind === 'step-started') printLines(this.#stderr, `${at} ${event.title}`)
    if (event.kind === 'step-output')
      printLines(
        this.#stderr,
        this.#output.add(event.id, event.chunk).map(line => `${at} | ${line}`),
      )
    if (event.kind === 'executor-chosen') printLines(this.#stderr, executorLine(event))
    if (event.kind === 'step-stopped') printLines(this.#stderr, [...this.#rest(event.id), `${at} stopped`])
    if (event.kind === 'step-failed') printLines(this.#stderr, [...this.#rest(event.id), `${at} FAILED`])
    if (event.kind !== 'step-finished') return
    if (event.outcome === 'base' || event.outcome === 'config') {
      printLines(this.#stderr, `${at} ${event.title}`)
      return
    }
    const end = event.outcome === 'cached' ? 'CACHED' : `DONE ${seconds(event.milliseconds)}`
    printLines(this.#stderr, [...this.#rest(event.id), `${at} ${end}`])
    if (this.#explain) printLines(this.#stderr, reasonLines(event))
  }

  close(): void {}

  #rest(id: string): string[] {
    return this.#output.end(id).map(line => `[${id}] | ${line}`)
  }
}

/** Lines of a command's output that are shown below a running step. */
const SHOWN_OUTPUT = 5
const FRAME_MS = 100

/** Draws running steps in place; finished steps scroll away above them. */
class RunningSteps implements BuildDisplay {
  readonly #stderr: Terminal['stderr']
  readonly #explain: boolean
  readonly #running = new Map<string, { title: string; begun: number; bytes: number; output: string[] }>()
  readonly #output = new OutputLines()
  readonly #timer: NodeJS.Timeout
  #drawn = 0

  constructor(stderr: Terminal['stderr'], explain: boolean) {
    this.#stderr = stderr
    this.#explain = explain
    this.#timer = setInterval(() => this.#draw(), FRAME_MS)
    this.#timer.unref()
  }

  onProgress(event: BuildProgress): void {
    if (event.kind === 'warning') {
      this.#erase()
      printLines(this.#stderr, warningText(event))
      return
    }
    const key = `${event.platform} ${event.id}`
    const step = this.#running.get(key)
    if (event.kind === 'step-started') {
      this.#running.set(key, { title: `[${event.id}] ${event.title}`, begun: performance.now(), bytes: 0, output: [] })
    } else if (event.kind === 'step-bytes') {
      if (step) step.bytes = event.bytes
    } else if (event.kind === 'executor-chosen') {
      this.#erase()
      printLines(this.#stderr, executorLine(event))
    } else if (event.kind === 'step-output') {
      step?.output.push(...this.#output.add(key, event.chunk))
    } else {
      this.#running.delete(key)
      this.#erase()
      if (event.kind === 'step-failed') {
        printLines(this.#stderr, [
          `[${event.id}] ${event.title}  FAILED`,
          ...(step?.output ?? []),
          ...this.#output.end(key),
        ])
      } else if (event.kind === 'step-stopped') {
        printLines(this.#stderr, `[${event.id}] ${event.title}  stopped`)
      } else {
        printLines(this.#stderr, [finishedLine(event), ...(this.#explain ? reasonLines(event) : [])])
      }
    }
  }

  close(): void {
    clearInterval(this.#timer)
    this.#erase()
    this.#running.clear()
  }

  #draw(): void {
    this.#erase()
    const width = Math.max(20, (this.#stderr.columns ?? 80) - 1)
    const lines = [...this.#running.values()].flatMap(({ title, begun, bytes, output }) => {
      const amount = bytes > 0 ? `  ${formatBytes(bytes)}` : ''
      const shown = output.slice(-SHOWN_OUTPUT).map(line => `  | ${line}`)
      return [`${title}${amount}  ${seconds(performance.now() - begun)}`, ...shown]
    })
    if (lines.length === 0) return
    printLines(
      this.#stderr,
      lines.map(line => line.slice(0, width)),
    )
    this.#drawn = lines.length
  }

  #erase(): void {
    if (this.#drawn > 0) this.#stderr.write(`\u001b[${this.#drawn}A\u001b[0J`)
    this.#drawn = 0
  }
}

/** Names the executor, and says why better ones were passed over. */
function executorLine({ name, passedOver }: Extract<BuildProgress, { kind: 'executor-chosen' }>): string {
  const others = passedOver.map(({ name, reason }) => `${name} does not work here: ${reason}`)
  return `commands run with ${[name, ...others].join('; ')}`
}

type Finished = Extract<BuildProgress, { kind: 'step-finished' }>

function finishedLine({ id, title, outcome, milliseconds }: Finished): string {
  const end = outcome === 'cached' ? '  CACHED' : outcome === 'made' ? `  ${seconds(milliseconds)}` : ''
  return `[${id}] ${title}${end}`
}

function reasonLines({ outcome, reason, differs = [] }: Finished): string[] {
  if (outcome !== 'made') return []
  return [...(reason === undefined ? [] : [`  because: ${reason}`]), ...differs.map(one => `  ${differenceText(one)}`)]
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)}s`
}

/** Chunks become text: a line of JSON has no bytes. */
function jsonEvent(event: BuildProgress): object {
  return event.kind === 'step-output' ? { ...event, chunk: Buffer.from(event.chunk).toString('utf8') } : event
}
