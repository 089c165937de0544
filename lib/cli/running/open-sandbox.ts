import { join, resolve } from 'node:path'
import type { Sandbox } from '../../sandbox/index.ts'
import type { Session } from '../session/session.ts'

/** Opens the sandbox of this machine, with the unpacked layers that builds in the same store use too. */
export async function openSandbox(session: Session): Promise<Sandbox> {
  const { machineSandbox } = await import('../../sandbox/index.ts')
  return machineSandbox({ directory: join(resolve(session.storeName), '.layerstore', 'snapshots') })
}
