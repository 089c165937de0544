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
  /** Name the platform of each step. */
  readonly platforms: boolean
}

/** Creates a display: running steps in place on a terminal, one line per event in logs, JSON lines for tools. */
export function createBuildDisplay({ stderr }: Terminal, options: BuildDisplayOptions): BuildDisplay {
  const { progress = stderr.isTTY ? 'tty' : 'plain', quiet } = options
  if (!['plain', 'tty', 'json', 'auto', 'quiet'].includes(progress)) {
    throw new UsageError(`--progress takes plain, tty or json, not ${progress}`)
  }
  if (progress === 'json') return { onProgress: event => printJson(stderr, jsonEvent(event)), close: () => {} }
  if (quiet || progress === 'quiet') return { onProgress: () => {}, close: () => {} }
  const isTty = progress === 'tty' || (progress === 'auto' && stderr.isTTY === true)
  return isTty ? new RunningSteps(stderr, options) : new StepLines(stderr, options)
}

/** Plain lines: what begins, what ends and how, and what commands write. */
class StepLines implements BuildDisplay {
  readonly #stderr: Terminal['stderr']
  readonly #options: BuildDisplayOptions
  readonly #output = new OutputLines()

  constructor(stderr: Terminal['stderr'], options: BuildDisplayOptions) {
    this.#stderr = stderr
    this.#options = options
  }

  onProgress(event: BuildProgress): void {
    if (event.kind === 'warning') {
      printLines(this.#stderr, warningText(event))
      return
    }
    if (isTask(event)) {
      printLines(this.#stderr, taskText(event))
      return
    }
    const at = labelOf(event, this.#options)
    if (event.kind === 'step-started') printLines(this.#stderr, `${at} ${event.title}`)
    if (event.kind === 'step-output')
      printLines(
        this.#stderr,
        this.#output.add(at, event.chunk).map(line => `${at} | ${line}`),
      )
    if (event.kind === 'executor-chosen') printLines(this.#stderr, executorLine(event))
    if (event.kind === 'step-stopped') printLines(this.#stderr, [...this.#rest(at), `${at} stopped`])
    if (event.kind === 'step-failed') printLines(this.#stderr, [...this.#rest(at), `${at} FAILED`])
    if (event.kind !== 'step-finished') return
    if (event.outcome === 'base' || event.outcome === 'config') {
      printLines(this.#stderr, `${at} ${event.title}`)
      return
    }
    const end = event.outcome === 'cached' ? 'CACHED' : `DONE ${seconds(event.milliseconds)}`
    printLines(this.#stderr, [...this.#rest(at), `${at} ${end}`])
    if (this.#options.explain) printLines(this.#stderr, reasonLines(event))
  }

  close(): void {}

  #rest(at: string): string[] {
    return this.#output.end(at).map(line => `${at} | ${line}`)
  }
}

/** Lines of a command's output that are shown below a running step. */
const SHOWN_OUTPUT = 5
const FRAME_MS = 100

/** Draws running steps in place; finished steps scroll away above them. */
class RunningSteps implements BuildDisplay {
  readonly #stderr: Terminal['stderr']
  readonly #options: BuildDisplayOptions
  readonly #running = new Map<string, { title: string; begun: number; bytes: number; output: string[] }>()
  readonly #output = new OutputLines()
  readonly #timer: NodeJS.Timeout
  #drawn = 0

  constructor(stderr: Terminal['stderr'], options: BuildDisplayOptions) {
    this.#stderr = stderr
    this.#options = options
    this.#timer = setInterval(() => this.#draw(), FRAME_MS)
    this.#timer.unref()
  }

  onProgress(event: BuildProgress): void {
    if (event.kind === 'warning') {
      this.#erase()
      printLines(this.#stderr, warningText(event))
      return
    }
    if (isTask(event)) {
      this.#task(event)
      return
    }
    const key = `${event.platform} ${event.id}`
    const at = labelOf(event, this.#options)
    const step = this.#running.get(key)
    if (event.kind === 'step-started') {
      this.#running.set(key, { title: `${at} ${event.title}`, begun: performance.now(), bytes: 0, output: [] })
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
        printLines(this.#stderr, [`${at} ${event.title}  FAILED`, ...(step?.output ?? []), ...this.#output.end(key)])
      } else if (event.kind === 'step-stopped') {
        printLines(this.#stderr, `${at} ${event.title}  stopped`)
      } else {
        printLines(this.#stderr, [finishedLine(event, at), ...(this.#options.explain ? reasonLines(event) : [])])
      }
    }
  }

  #task(event: TaskEvent): void {
    const key = `${event.task} ${event.place}`
    if (event.kind === 'task-started') {
      this.#running.set(key, { title: taskText(event), begun: performance.now(), bytes: 0, output: [] })
      return
    }
    this.#running.delete(key)
    this.#erase()
    printLines(this.#stderr, taskText(event))
  }

  close(): void {
    clearInterval(this.#timer)
    this.#erase()
    this.#running.clear()
  }

  #draw(): void {
    this.#erase()
    const width = Math.max(20, (this.#stderr.columns || 80) - 1)
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
    // A terminal echoes Ctrl-C, which moves the cursor from the first column.
    if (this.#drawn > 0) this.#stderr.write(`\r\u001b[${this.#drawn}A\u001b[0J`)
    this.#drawn = 0
  }
}

/** Names the executor, what it cannot do on this machine, and why better ones were passed over. */
function executorLine({ name, note, passedOver }: Extract<BuildProgress, { kind: 'executor-chosen' }>): string {
  const others = passedOver.map(({ name, reason }) => `${name} does not work here: ${reason}`)
  return `commands run with ${[name, ...(note === undefined ? [] : [note]), ...others].join('; ')}`
}

type TaskEvent = Extract<BuildProgress, { task: unknown }>

function isTask(event: BuildProgress): event is TaskEvent {
  return 'task' in event
}

/** One line for a task, such as `[push] ghcr.io/o/app:1.0  DONE 2.1s`. */
function taskText(event: TaskEvent): string {
  const { task, place, bytes } = event
  const name = task === 'fetch' ? place.replace(/^(\w+:\w{12})\w+$/, '$1') : place
  const amount = bytes === undefined ? '' : ` ${formatBytes(bytes)}`
  const end =
    event.kind === 'task-finished'
      ? `  DONE ${seconds(event.milliseconds)}`
      : event.kind === 'task-failed'
        ? '  FAILED'
        : ''
  return `[${task}] ${name}${amount}${end}`
}

/** Label of a step: `[app 2/5]`, among several platforms `[linux/arm64 app 2/5]`. */
function labelOf({ id, platform }: { id: string; platform: string }, { platforms }: BuildDisplayOptions): string {
  return platforms ? `[${platform} ${id}]` : `[${id}]`
}

type Finished = Extract<BuildProgress, { kind: 'step-finished' }>

function finishedLine({ title, outcome, milliseconds }: Finished, at: string): string {
  const end = outcome === 'cached' ? '  CACHED' : outcome === 'made' ? `  ${seconds(milliseconds)}` : ''
  return `${at} ${title}${end}`
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
