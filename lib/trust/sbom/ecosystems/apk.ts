import { parseParagraphs } from './parse-fields.ts'
import type { StatedPackage } from './stated-package.ts'

/** Databases of apk; Alpine from 3.23 on has the second. */
export const APK_INSTALLED = ['lib/apk/db/installed', 'usr/lib/apk/db/installed']

/**
 * Parses the database of apk.
 *
 * @see {@link https://wiki.alpinelinux.org/wiki/Apk_spec | Alpine: apk spec}
 */
export function parseApk(text: string): StatedPackage[] {
  return parseParagraphs(text).flatMap(fields => {
    const [name, version] = [fields.get('P'), fields.get('V')]
    const [source, architecture, license] = [fields.get('o'), fields.get('A'), fields.get('L')]
    const origin = source && version ? { source: { name: source, version } } : {}
    return name && version ? [{ name, version, architecture, license, ...origin }] : []
  })
}
