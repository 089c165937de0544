import { writeFile } from 'node:fs/promises'
import { OutputError } from '../failing/output-error.ts'

/**
 * Writes a document to the file that an option names.
 *
 * @throws {@link OutputError} if the file cannot be written.
 */
export async function writeResult(option: string, path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text)
  } catch (cause) {
    throw new OutputError(cause as Error, `${option} ${JSON.stringify(path)}`)
  }
}
