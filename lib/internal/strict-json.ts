/** Fault of a JSON text, with its byte offset. */
export class JsonFault extends Error {
  readonly position: number
  constructor(message: string, position: number, options?: ErrorOptions) {
    super(message, options)
    this.position = position
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const COLON = 0x3a

/**
 * Parses JSON that every parser reads alike: UTF-8 without BOM, no duplicate key in an object, nesting of at most
 * `maxDepth`. Throws {@link JsonFault}; the caller adds which document it was.
 */
export function parseStrictJson(bytes: Uint8Array, maxDepth = 64): unknown {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) throw new JsonFault('byte order mark', 0)
  const text = decodeUtf8(bytes)
  // SAFETY: JSON.parse follows 200,000 levels, but every later walk over the value would overflow the stack.
  checkNestingAndKeys(bytes, maxDepth)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new JsonFault((cause as Error).message, 0, { cause })
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new JsonFault('not valid UTF-8', 0, { cause })
  }
}

/**
 * Checks nesting and keys in one pass over the bytes. Malformed text is left to JSON.parse, whose message is better.
 */
function checkNestingAndKeys(bytes: Uint8Array, maxDepth: number): void {
  const open: (Set<string> | undefined)[] = []
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      open.push(byte === OPEN_BRACE ? new Set() : undefined)
      if (open.length > maxDepth) throw new JsonFault(`nested deeper than ${maxDepth}`, i)
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      open.pop()
    } else if (byte === QUOTE) {
      const end = endOfString(bytes, i + 1)
      const keys = open.at(-1)
      if (keys && isKey(bytes, end + 1)) addKey(keys, bytes, i, end)
      i = end
    }
  }
}

function endOfString(bytes: Uint8Array, start: number): number {
  let i = start
  while (i < bytes.length && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1
  return i
}

function isKey(bytes: Uint8Array, after: number): boolean {
  let i = after
  while (bytes[i] === 0x20 || bytes[i] === 0x0a || bytes[i] === 0x0d || bytes[i] === 0x09) i++
  return bytes[i] === COLON
}

function addKey(keys: Set<string>, bytes: Uint8Array, start: number, end: number): void {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset + start, end + 1 - start).toString('utf8')
  const key = raw.includes('\\') ? unescaped(raw) : raw.slice(1, -1)
  if (keys.has(key)) throw new JsonFault(`key ${JSON.stringify(key)} stands twice in one object`, start)
  keys.add(key)
}

function unescaped(raw: string): string {
  try {
    return JSON.parse(raw) as string
  } catch {
    // A malformed escape is reported by the JSON.parse of the whole text.
    return raw
  }
}
