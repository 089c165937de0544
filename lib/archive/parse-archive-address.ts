import { FormatError } from '../errors/index.ts'

/** Address of an image in an archive. */
export interface ArchiveAddress {
  /** Format for writing; a reader detects the format itself. */
  readonly format: 'oci' | 'docker'
  /** Path of the file. */
  readonly path: string
  /** The image in the archive: a name, or `@n`; absent for the only image. */
  readonly image?: string
}

/**
 * Parses `oci-archive:FILE[:TAG]` or `docker-archive:FILE[:NAME]`, as skopeo and podman write them: the file ends at
 * the first colon. Returns `undefined` for a text without one of these prefixes.
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` if the file is missing.
 * @see {@link https://github.com/containers/image/blob/main/docs/containers-transports.5.md | containers-transports(5)}
 */
export function parseArchiveAddress(text: string): ArchiveAddress | undefined {
  const match = /^(oci|docker)-archive:(.*)$/s.exec(text)
  if (!match) return undefined
  const [, format, rest = ''] = match as unknown as [string, 'oci' | 'docker', string]
  // A drive letter of Windows belongs to the file.
  const from = /^[A-Za-z]:[\\/]/.test(rest) ? 2 : 0
  const colon = rest.indexOf(':', from)
  const path = colon < 0 ? rest : rest.slice(0, colon)
  const image = colon < 0 ? '' : rest.slice(colon + 1)
  if (path === '') throw new FormatError('ERR_INVALID_ARGUMENT', `no file in the address ${JSON.stringify(text)}`)
  return { format, path, ...(image === '' ? {} : { image }) }
}
