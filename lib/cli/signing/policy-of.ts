import type { ImagePolicy } from '../../trust/index.ts'
import type { Session } from '../session/session.ts'

/** The option that names a policy. */
export const policyOption = [
  '--policy <file>',
  'take only images that this policy allows; empty for none (default: $LAYERSTORE_POLICY)',
] as const

/** An option that names a policy. */
export interface PolicyOption {
  readonly policy?: string | undefined
}

/** Loads the policy; `undefined`, and nothing is loaded, if none is set. */
export async function policyOf(
  session: Session,
  { policy = session.terminal.env.LAYERSTORE_POLICY ?? '' }: PolicyOption,
): Promise<ImagePolicy | undefined> {
  if (policy === '') return undefined
  const { loadPolicy } = await import('../../trust/index.ts')
  return loadPolicy(policy)
}

/** Loads the function that verifies images; `undefined` if no policy is set. */
export async function verifierOf(session: Session, options: PolicyOption): Promise<ImagePolicy['verify'] | undefined> {
  return (await policyOf(session, options))?.verify
}
