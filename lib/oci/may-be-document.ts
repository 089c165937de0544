import { Limits } from './limits.ts'

/**
 * Whether bytes may be a manifest or an index. `false` is certain.
 *
 * PERF: most JSON blobs are configs, and need not be parsed. A document has the member `schemaVersion`, unless that
 * name is written with escapes.
 */
export function mayBeImageDocument(bytes: Uint8Array): boolean {
  if (bytes.byteLength > Limits.manifestBytes || !beginsObject(bytes)) return false
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return text.includes('"schemaVersion"') || text.includes('\\u00')
}

/** SPEC: RFC 8259, 2: white space may come before the brace. */
function beginsObject(bytes: Uint8Array): boolean {
  const first = bytes.find(byte => byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d)
  return first === 0x7b
}
