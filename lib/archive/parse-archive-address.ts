import { FormatError } from '../errors/index.ts'

/** Where an image stands in an archive, as people write it. */
export interface ArchiveAddress {
  /** Which kind of archive to write; one that is read says itself which it is. */
  readonly format: 'oci' | 'docker'
  /** The file. */
  readonly path: string
  /** Which image in it: a name, or `@n`; absent for the only one. */
  readonly image?: string
}

/**
 * Reads `oci-archive:FILE[:TAG]` or `docker-archive:FILE[:NAME]`, as skopeo and podman write them: the file ends at the
 * first colon. `undefined` for a text that has neither in front.
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` if the file is missing.
 * @see {@link https://github.com/containers/image/blob/main/docs/containers-transports.5.md | containers-transports(5)}
 */
export function parseArchiveAddress(text: string): ArchiveAddress | undefined {
  const match = /^(oci|docker)-archive:(.*)$/s.exec(text)
  if (!match) return undefined
  const [, format, rest = ''] = match as unknown as [string, 'oci' | 'docker', string]
  // A drive letter of Windows is part of the file.
  const from = /^[A-Za-z]:[\\/]/.test(rest) ? 2 : 0
  const colon = rest.indexOf(':', from)
  const path = colon < 0 ? rest : rest.slice(0, colon)
  const image = colon < 0 ? '' : rest.slice(colon + 1)
  if (path === '') throw new FormatError('ERR_INVALID_ARGUMENT', `no file in the address ${JSON.stringify(text)}`)
  return { format, path, ...(image === '' ? {} : { image }) }
}
