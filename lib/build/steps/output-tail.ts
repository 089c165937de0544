const MOST_LINES = 20
const MOST_BYTES = 8192
/** Shorter texts are in every output by chance. */
const LEAST_SECRET_LENGTH = 4

/** Keeps the last lines of an output for an error, without secrets. */
export class OutputTail {
  readonly #secrets: readonly string[]
  #bytes = Buffer.alloc(0)

  constructor(secrets: readonly (string | Uint8Array)[]) {
    // A secret may be longer than a line: its lines are hidden one by one too.
    const texts = secrets.map(secret => Buffer.from(secret).toString('utf8'))
    const hidden = [...texts, ...texts.flatMap(text => text.split('\n'))].map(text => text.trim())
    this.#secrets = hidden.filter(text => text.length >= LEAST_SECRET_LENGTH).sort((a, b) => b.length - a.length)
  }

  add(chunk: Uint8Array): void {
    const all = Buffer.concat([this.#bytes, chunk])
    this.#bytes = all.subarray(Math.max(0, all.length - MOST_BYTES))
  }

  /** The lines, the last one last. */
  lines(): string[] {
    let text = this.#bytes.toString('utf8')
    for (const secret of this.#secrets) text = text.replaceAll(secret, '***')
    const lines = text.replace(/\n+$/, '').split('\n')
    return text === '' ? [] : lines.slice(-MOST_LINES).map(line => line.replace(/\r$/, ''))
  }
}
