import { decodeName } from '../../internal/name-bytes.ts'

/**
 * True if bytes are those of a name. PERF: nearly all names are ASCII, where a byte is a character; no string is made
 * of such bytes.
 */
export function equalsText(bytes: Buffer, from: number, to: number, text: string): boolean {
  if (to - from < text.length) return false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code >= 0x80) return decodeName(bytes.subarray(from, to)) === text
    if (bytes[from + i] !== code) return false
  }
  return to - from === text.length
}
