import { open, stat } from 'node:fs/promises'
import type { ImagePolicy } from '../../trust/index.ts'
import { fileFault } from '../failing/file-fault.ts'
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

/**
 * Refuses a policy of the option that cannot be read, whether or not the command comes to use it.
 *
 * SAFETY: a command that needs no image of a registry, such as `append scratch`, would take a mistyped name.
 */
export async function checkPolicyFile({ policy = '' }: PolicyOption, option = '--policy'): Promise<void> {
  if (policy === '') return
  try {
    const stats = await stat(policy)
    // A pipe, such as `--policy <(…)`, can be read only once.
    if (!stats.isFile() && !stats.isDirectory()) return
    await using handle = await open(policy)
    await handle.read(Buffer.alloc(1), 0, 1, 0)
  } catch (cause) {
    throw fileFault(option, policy, cause)
  }
}

/** Loads the policy; `undefined`, and nothing is loaded, if none is set. */
export async function policyOf(session: Session, options: PolicyOption): Promise<ImagePolicy | undefined> {
  const policy = options.policy ?? session.terminal.env.LAYERSTORE_POLICY ?? ''
  if (policy === '') return undefined
  await checkPolicyFile({ policy }, options.policy === undefined ? '$LAYERSTORE_POLICY' : undefined)
  const { loadPolicy } = await import('../../trust/index.ts')
  return loadPolicy(policy)
}

/** Loads the function that verifies images; `undefined` if no policy is set. */
export async function verifierOf(session: Session, options: PolicyOption): Promise<ImagePolicy['verify'] | undefined> {
  return (await policyOf(session, options))?.verify
}
