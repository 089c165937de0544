/** One block of a PEM file. */
export interface PemBlock {
  /** Text between `BEGIN` and the dashes, such as `PUBLIC KEY`. */
  readonly label: string
  /** The decoded content. */
  readonly bytes: Uint8Array
}

/** SAFETY: no key is larger; a huge file would be decoded for nothing. */
const MOST_CHARACTERS = 256 * 1024
const BEGIN = /-----BEGIN ([A-Z0-9 ]{1,64})-----\r?\n/

/** Decodes the first block of a PEM text; `undefined` if there is none. Lines with a colon (headers) are left out. */
export function parsePem(text: string): PemBlock | undefined {
  if (text.length > MOST_CHARACTERS) return undefined
  const begin = BEGIN.exec(text)
  if (!begin) return undefined
  // PERF: one pattern for the whole block takes seconds for a text of many beginnings; registries send such texts.
  const [line, label = ''] = begin
  const start = begin.index + line.length
  const end = text.indexOf(`-----END ${label}-----`, start)
  if (end < 0) return undefined
  const lines = text
    .slice(start, end)
    .split(/\r?\n/)
    .filter(line => !line.includes(':'))
  return { label, bytes: Buffer.from(lines.join(''), 'base64') }
}

/** Writes a PEM block, with lines of 64 characters. */
export function formatPem({ label, bytes }: PemBlock): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
