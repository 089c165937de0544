import { parseParagraphs } from './parse-fields.ts'
import type { StatedPackage } from './stated-package.ts'

const METADATA = /(?:^|\/)[^/]+\.(?:dist-info\/METADATA|egg-info\/PKG-INFO|egg-info)$/

/** True for the metadata of an installed Python distribution. */
export function isPythonMetadata(path: string): boolean {
  return METADATA.test(path)
}

/**
 * Parses the metadata of a Python distribution; `undefined` if it has no name or no version.
 *
 * @see {@link https://packaging.python.org/en/latest/specifications/core-metadata/ | core metadata}
 */
export function parsePython(text: string): StatedPackage | undefined {
  // The head ends at the first empty line; the description follows.
  const [fields] = parseParagraphs(text)
  const [name, version] = [fields?.get('Name'), fields?.get('Version')]
  const stated = fields?.get('License-Expression') ?? fields?.get('License')
  const license = stated && stated !== 'UNKNOWN' ? stated : undefined
  return name && version ? { name, version, ...(license ? { license } : {}) } : undefined
}
