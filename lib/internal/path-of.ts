import { fileURLToPath } from 'node:url'
import { FormatError } from '../errors/index.ts'
import { invalidArgument } from './invalid-argument.ts'

/**
 * The path that a caller gave as text or as a `file:` URL.
 *
 * @param name - Name of the argument in errors.
 * @throws `FormatError` `ERR_INVALID_ARGUMENT` for an empty text, a text with a NUL, a URL that names no local file,
 * and anything else.
 */
export function pathOf(given: string | URL, name: string): string {
  const path = given instanceof URL ? fromUrl(given, name) : given
  if (typeof path !== 'string') throw invalidArgument(name, 'a path or a file: URL', given)
  if (path === '' || path.includes('\0')) throw invalidArgument(name, 'a path that is not empty and has no NUL', path)
  return path
}

function fromUrl(url: URL, name: string): string {
  const shown = `${url.protocol}//${url.host}${url.pathname}`
  if (url.protocol !== 'file:') {
    throw new FormatError('ERR_INVALID_ARGUMENT', `${name} must be a path or a file: URL, is the URL ${shown}`)
  }
  try {
    return fileURLToPath(url)
  } catch (cause) {
    const why = `is the URL ${shown}, which names no file of this machine`
    throw new FormatError('ERR_INVALID_ARGUMENT', `${name} must be a path or a file: URL, ${why}`, { cause })
  }
}
