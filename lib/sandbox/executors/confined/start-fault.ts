import type { SandboxError } from '../../../errors/index.ts'
import type { ProcessSpec } from '../executor.ts'
import { programFault } from '../view/assert-program.ts'

/** Longer messages are those of a program that was started. */
const MOST_BYTES = 4096
/** Lines that programs print if they cannot execute another one. */
const MESSAGES = [
  /^bwrap: execvp (?<program>.+): (?<reason>[^:\n]+)$/s,
  /^exec (?<program>.+): (?<reason>[^:\n]+)$/s,
  /^unshare: failed to execute (?<program>.+): (?<reason>[^:\n]+)$/s,
]
const CODES = [1, 126, 127]

/**
 * Recognises that a program could not be executed, by what the starting program printed: there is no other sign of it.
 * A step that prints exactly such a line and fails is taken for one; it fails in both cases.
 */
export class StartFault {
  readonly #program: string
  readonly #onOutput: ProcessSpec['onOutput']
  #printed = Buffer.alloc(0)

  constructor({ args, onOutput }: Pick<ProcessSpec, 'args' | 'onOutput'>) {
    this.#program = args[0] ?? ''
    this.#onOutput = onOutput
  }

  readonly onOutput: NonNullable<ProcessSpec['onOutput']> = (chunk, stream) => {
    if (this.#printed.length <= MOST_BYTES) this.#printed = Buffer.concat([this.#printed, chunk])
    this.#onOutput?.(chunk, stream)
  }

  /** Beginning of the output. */
  get text(): string {
    return this.#printed.subarray(0, MOST_BYTES).toString('utf8').trim()
  }

  /** Returns the error, if the exit of a process and its output mean that. */
  of(code: number): SandboxError | undefined {
    if (!CODES.includes(code) || this.#printed.length > MOST_BYTES) return undefined
    const found = MESSAGES.map(message => message.exec(this.text)?.groups).find(Boolean)
    const { program = '', reason } = found ?? {}
    // runc prints the path at which it found the program.
    if (program !== this.#program && !program.endsWith(`/${this.#program}`)) return undefined
    return programFault(this.#program, `could not be executed (${reason})`)
  }
}
