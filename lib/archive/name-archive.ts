import { FormatError } from '../errors/index.ts'

/**
 * Runs work on an archive, and names its file in errors of its format: the readers of tars and documents do not know
 * where their bytes are from.
 */
export async function nameArchive<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof FormatError) || error.message.includes(path)) throw error
    const { code, message, at } = error
    const isNoTar = code === 'ERR_INVALID_TAR' && message.startsWith('not a tar archive')
    const text = isNoTar ? `${JSON.stringify(path)} is not a tar archive` : `${JSON.stringify(path)}: ${message}`
    // `at` is in the message already.
    throw Object.assign(new FormatError(code, text, { cause: error }), { at })
  }
}
