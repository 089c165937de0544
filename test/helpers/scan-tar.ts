import { type ScannedHeader, type TarLimits, TarScanner } from '../../lib/tar/index.ts'

/** Result of a scanner for an archive: its entries with their content in latin1, or the error code and position. */
export type Verdict =
  | { readonly entries: readonly (ScannedHeader & { text: string })[] }
  | { readonly code: string; readonly at: string | undefined }

/** Scans an archive that arrives in chunks of one size. Rethrows errors that are not of the library. */
export function scanTar(bytes: Uint8Array, size: number, limits?: TarLimits): Verdict {
  const entries: (ScannedHeader & { text: string })[] = []
  const scanner = new TarScanner(limits)
  try {
    for (let at = 0; at < bytes.byteLength; at += size) {
      scanner.push(bytes.subarray(at, at + size))
      for (let found = scanner.next(); found; found = scanner.next()) {
        if (!(found instanceof Uint8Array)) entries.push({ ...found, text: '' })
        else entries.at(-1)!.text += Buffer.from(found).toString('latin1')
      }
    }
    scanner.end()
  } catch (error) {
    const { code, at } = error as { code?: string; at?: string }
    if (!code?.startsWith('ERR_INVALID_TAR') && code !== 'ERR_LIMIT_EXCEEDED') throw error
    return { code, at }
  }
  return { entries }
}
