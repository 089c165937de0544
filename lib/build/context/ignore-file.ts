import { type IgnoreLine, parseIgnoreLines } from '../../layer/index.ts'

/** An ignore file that applies to a context. */
export interface IgnoreFile {
  /** Path inside the context. */
  readonly path: string
  readonly lines: readonly IgnoreLine[]
}

/** Reads a small file of a context; `undefined` if it does not exist. */
export type ControlFileReader = (path: string) => Promise<Uint8Array | undefined>

/**
 * Finds the ignore file of a context: `<Dockerfile>.dockerignore` beside the Dockerfile wins, else `.dockerignore` at
 * the root of the context.
 *
 * @param dockerfile - Path of the Dockerfile inside the context, if it is there.
 */
export async function findIgnoreFile(
  read: ControlFileReader,
  dockerfile: string | undefined,
): Promise<IgnoreFile | undefined> {
  const paths = [...(dockerfile === undefined ? [] : [`${dockerfile}.dockerignore`]), '.dockerignore']
  for (const path of paths) {
    const bytes = await read(path)
    if (bytes) return { path, lines: parseIgnoreLines(Buffer.from(bytes).toString('utf8')) }
  }
  return undefined
}
