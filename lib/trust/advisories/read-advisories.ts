import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { SourceError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { isErrno } from '../../internal/errno.ts'
import type { Advisory } from './advisory.ts'
import { parseAdvisory } from './parse-advisory.ts'

/** Most bytes of one advisory. */
const MOST = 16 * 1024 * 1024

/**
 * Reads the advisories of a directory, one after the other: every `.json` file in it and below, as OSV publishes them
 * for each ecosystem. Withdrawn ones, and files that are no advisories, are left out.
 *
 * @throws {@link SourceError} `ERR_SOURCE_NOT_FOUND` if there is no such directory; `ERR_SOURCE_READ` if it or a file
 * cannot be read or is no JSON, or if it has no `.json` file.
 * @see {@link https://google.github.io/osv.dev/data/ | OSV: data}
 */
export async function* readAdvisories(directory: string, { signal }: AbortOptions = {}): AsyncGenerator<Advisory> {
  const files = await filesIn(directory)
  // SAFETY: a dump that was not unpacked would be a gate that passes everything.
  if (files.length === 0) throw unreadable(directory, new Error('there is no .json file in it'))
  for (const path of files) {
    signal?.throwIfAborted()
    const advisory = parseAdvisory(await readJson(path))
    if (advisory) yield advisory
  }
}

async function filesIn(directory: string): Promise<string[]> {
  try {
    const names = await readdir(directory, { recursive: true })
    return names
      .filter(name => name.endsWith('.json'))
      .sort()
      .map(name => join(directory, name))
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) throw absent('no such directory of advisories', directory, cause)
    if (isErrno(cause, 'ENOTDIR')) throw absent('a file is in the place of a directory of advisories', directory, cause)
    throw unreadable(directory, cause)
  }
}

async function readJson(path: string): Promise<unknown> {
  try {
    const { size } = await stat(path)
    if (size > MOST) throw new Error(`${size} bytes are more than ${MOST}`)
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

function absent(message: string, path: string, cause: unknown): SourceError {
  return new SourceError('ERR_SOURCE_NOT_FOUND', message, path, { cause })
}

function unreadable(path: string, cause: unknown): SourceError {
  const message = `cannot read advisories (${(cause as Error).message})`
  return new SourceError('ERR_SOURCE_READ', message, path, { cause })
}
