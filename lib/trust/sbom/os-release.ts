import type { OsRelease } from './package-list.ts'

/** Places of the file, the first that exists counts. */
export const OS_RELEASE = ['etc/os-release', 'usr/lib/os-release']

/**
 * Parses an `os-release`; `undefined` without an ID.
 *
 * @see {@link https://www.freedesktop.org/software/systemd/man/latest/os-release.html | os-release(5)}
 */
export function parseOsRelease(text: string): OsRelease | undefined {
  const values = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [, name, value] = line.match(/^([A-Z0-9_]+)=(.*)$/) ?? []
    if (name && value !== undefined) values.set(name, unquoted(value.trim()))
  }
  const [id, version, name] = [values.get('ID'), values.get('VERSION_ID'), values.get('PRETTY_NAME')]
  return id ? { id, ...(version ? { version } : {}), ...(name ? { name } : {}) } : undefined
}

function unquoted(value: string): string {
  const [, , inner] = value.match(/^(["'])(.*)\1$/) ?? []
  return (inner ?? value).replace(/\\(["'$`\\])/g, '$1')
}
