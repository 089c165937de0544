/*
 * File names are bytes; JavaScript strings are not. Names that are valid UTF-8 are decoded as such; every other byte
 * becomes a lone surrogate U+DC80…U+DCFF, the escape of Python's PEP 383. Both directions are exact, the strings work
 * as map keys, and JSON keeps them (as \udcXX).
 */

/** The string for a name's bytes; {@link encodeName} gives the bytes back. */
export function decodeName(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  // PERF: invalid input always gives a replacement character, and valid names rarely contain one: only then walk the
  // bytes.
  return text.includes('\ufffd') ? decodeEscaped(bytes) : text
}

/** The bytes of a name decoded by {@link decodeName}; any other well-formed string gives its UTF-8. */
export function encodeName(name: string): Buffer {
  return /[\udc80-\udcff]/.test(name) && !isWellFormed(name) ? encodeEscaped(name) : Buffer.from(name, 'utf8')
}

/** Converts a path that was decoded by {@link decodeName} to the form that system calls take. */
export function systemPath(path: string): string | Buffer {
  return /[\udc80-\udcff]/.test(path) ? encodeName(path) : path
}

function isWellFormed(text: string): boolean {
  return !/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text)
}

function decodeEscaped(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; ) {
    const length = sequenceLength(bytes, i)
    text += length
      ? Buffer.from(bytes.subarray(i, i + length)).toString('utf8')
      : String.fromCharCode(0xdc00 + (bytes[i] as number))
    i += length || 1
  }
  return text
}

/** Length of the valid UTF-8 sequence at `i`, or 0. */
function sequenceLength(bytes: Uint8Array, i: number): number {
  const first = bytes[i] as number
  if (first < 0x80) return 1
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
  if (first < 0xc2 || first > 0xf4 || i + length > bytes.length) return 0
  const piece = bytes.subarray(i, i + length)
  return Buffer.from(Buffer.from(piece).toString('utf8'), 'utf8').equals(piece) ? length : 0
}

function encodeEscaped(name: string): Buffer {
  const parts: Buffer[] = []
  for (const character of name) {
    const code = character.codePointAt(0) as number
    parts.push(code >= 0xdc80 && code <= 0xdcff ? Buffer.from([code - 0xdc00]) : Buffer.from(character, 'utf8'))
  }
  return Buffer.concat(parts)
}
