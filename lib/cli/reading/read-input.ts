import { createReadStream } from 'node:fs'
import { fileFault } from '../failing/file-fault.ts'

/**
 * Reads a file that an option names.
 *
 * @param option - The option, for errors.
 * @throws `SourceError` or `UsageError` if the file cannot be read, also if it went away since it was looked at.
 */
export async function* readInput(option: string, path: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* createReadStream(path)
  } catch (cause) {
    throw fileFault(option, path, cause)
  }
}
