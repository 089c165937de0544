import { join, resolve } from 'node:path'
import type { Sandbox } from '../../sandbox/index.ts'
import { executorOf } from '../building/sandbox-options.ts'
import type { Session } from '../session/session.ts'

/** The option `--sandbox`. */
export interface SandboxOption {
  readonly sandbox?: string
}

/** Opens the sandbox of this machine, with the unpacked layers that builds in the same store use too. */
export async function openSandbox(session: Session, { sandbox }: SandboxOption = {}): Promise<Sandbox> {
  const { machineSandbox } = await import('../../sandbox/index.ts')
  const directory = join(resolve(session.storeDirectory), '.layerstore', 'snapshots')
  return machineSandbox({ directory, executor: executorOf(sandbox) })
}
