import { decodeName } from '../../internal/name-bytes.ts'
import { invalid } from './header-block.ts'
import type { ReadPaxRecords } from './parse-pax.ts'

const PLAIN = 'SCHILY.xattr.'
const ENCODED = 'LIBARCHIVE.xattr.'

/**
 * Extended attributes in PAX records; `undefined` if there are none. libarchive writes each attribute in two records:
 * the plain one (`SCHILY.xattr`) is used, under the decoded name.
 */
export function xattrsOf(pax: ReadPaxRecords, at: number): Map<string, Uint8Array> | undefined {
  let xattrs: Map<string, Uint8Array> | undefined
  for (const [key, value] of pax) {
    if (!key.startsWith(PLAIN) || key.length === PLAIN.length) continue
    xattrs ??= new Map()
    // A copy: a view would keep the whole body of the PAX header in memory.
    xattrs.set(key.slice(PLAIN.length), Buffer.from(value))
  }
  for (const [key, value] of pax) {
    if (!key.startsWith(ENCODED) || key.length === ENCODED.length) continue
    const encoded = key.slice(ENCODED.length)
    const name = decodePercent(encoded)
    if (name.includes('\0')) throw invalid('extended attribute with a NUL in its name', at)
    const decoded = decodeBase64(value, at)
    xattrs ??= new Map()
    const plain = xattrs.get(encoded)
    xattrs.delete(encoded)
    xattrs.set(name, plain ?? xattrs.get(name) ?? decoded)
  }
  return xattrs
}

function decodePercent(text: string): string {
  if (!text.includes('%')) return text
  const bytes = text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return decodeName(Buffer.from(bytes, 'latin1'))
}

/** Decodes base64. Node ignores invalid characters, so they are checked first. */
function decodeBase64(value: Buffer, at: number): Buffer {
  const text = value.toString('latin1')
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.replace(/=+$/, '').length % 4 === 1) {
    throw invalid('extended attribute that is not base64', at)
  }
  return Buffer.from(text, 'base64')
}
