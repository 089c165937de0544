import { UsageError } from '../failing/usage-error.ts'
import type { Session } from '../session/session.ts'

/** A password is one line; more is a file that was piped in by mistake. */
const MOST_BYTES = 64 * 1024

/** Reads a password or token from stdin, without the end of its line. */
export async function readPassword({ terminal: { stdin } }: Session): Promise<string> {
  if (stdin.isTTY) throw new UsageError('nothing is piped in: pipe the password or token to --password-stdin')
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stdin) {
    chunks.push(Buffer.from(chunk))
    size += chunk.byteLength
    if (size > MOST_BYTES) throw new UsageError('stdin holds more than a password')
  }
  const password = Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '')
  if (password === '' || /[\r\n\0]/.test(password))
    throw new UsageError('stdin must hold one line: the password or token')
  return password
}

/** The password of a key: from stdin, else of the environment. SAFETY: never an argument, which every user can read. */
export async function keyPassword(
  session: Session,
  { passwordStdin }: { readonly passwordStdin?: boolean },
): Promise<string | undefined> {
  if (passwordStdin) return readPassword(session)
  const { env } = session.terminal
  return env.LAYERSTORE_KEY_PASSWORD ?? env.COSIGN_PASSWORD
}
