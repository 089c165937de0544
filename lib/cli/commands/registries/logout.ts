import type { Session } from '../../session/session.ts'
import { assertRegistry } from './login.ts'

/** `logout [REGISTRY]`: removes the login of a registry from docker's config file and its credential helper. */
export async function logout(session: Session, registry: string): Promise<void> {
  const { parseReference } = await import('../../../oci/index.ts')
  const { forgetCredential } = await import('../../../registry/index.ts')
  assertRegistry(registry, parseReference)
  const removed = await forgetCredential(registry, { environment: session.terminal.env, signal: session.signal })
  session.result(removed ? `logged out of ${registry}` : `there was no login for ${registry}`, { registry, removed })
}
