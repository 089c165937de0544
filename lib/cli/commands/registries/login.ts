import { UsageError } from '../../failing/usage-error.ts'
import type { Session } from '../../session/session.ts'
import { readPassword } from '../../signing/read-password.ts'

/** Options of `login`. */
export interface LoginOptions {
  readonly username?: string
  readonly passwordStdin?: boolean
}

/**
 * `login [REGISTRY] -u USER --password-stdin`: checks a password with the registry, and keeps it where docker does.
 * Nothing is kept of a password that the registry refuses.
 */
export async function login(session: Session, registry: string, options: LoginOptions): Promise<void> {
  const { username } = options
  const { parseReference } = await import('../../../oci/index.ts')
  assertRegistry(registry, parseReference)
  if (!username) throw new UsageError('login needs a user: -u USER')
  const password = await passwordOf(session, options)
  const credential = { username, password }
  const { signal } = session
  const client = await session.registry({ credentials: { [registry]: credential } })
  await client.checkAccess(registry, { signal })
  const { saveCredential } = await import('../../../registry/index.ts')
  const { name, plain } = await saveCredential(registry, credential, { environment: session.terminal.env, signal })
  if (plain) session.note(`the password is in ${name}, not encrypted: a credential helper of docker would encrypt it`)
  session.result(`logged in to ${registry} as ${username}`, { registry, username, place: name, plain })
}

/** Refuses an address or a repository in the place of a registry: the login would never be found. */
export function assertRegistry(
  registry: string,
  parseReference: (text: string) => { readonly registry: string },
): void {
  const isRegistry = /^[A-Za-z0-9.:[\]-]+$/.test(registry) && parseReference(`${registry}/x/y`).registry === registry
  if (isRegistry) return
  throw new UsageError(`${JSON.stringify(registry)} is no registry: name its host, such as ghcr.io or localhost:5000`)
}

async function passwordOf(session: Session, { passwordStdin }: LoginOptions): Promise<string> {
  if (passwordStdin) return readPassword(session)
  // SAFETY: a password on the command line can be read by every user of the machine, and stays in shell histories.
  throw new UsageError('login reads the password from stdin: layerstore login … --password-stdin < FILE')
}
