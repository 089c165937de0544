import { BlobNotFoundError } from '../../../errors/index.ts'
import { refuseUnpulled } from '../../reading/refuse-unpulled.ts'
import { openSandbox, type SandboxOption } from '../../running/open-sandbox.ts'
import { PassedSignals } from '../../running/pass-signals.ts'
import { runFailure } from '../../running/run-failure.ts'
import { startOptionsOf } from '../../running/start-options.ts'
import { tellExit } from '../../running/tell-exit.ts'
import type { Session } from '../../session/session.ts'

/** Options of `start`. */
export interface StartCommandOptions extends SandboxOption {
  readonly interactive?: boolean
}

/** `start ID`: runs the command of a kept container again; ends with its exit code. */
export async function start(session: Session, id: string, options: StartCommandOptions): Promise<void> {
  session.failureExit = runFailure
  const { openContainer } = await import('../../../sandbox/index.ts')
  const store = await session.containerStore({ create: false })
  await using sandbox = await openSandbox(session, options)
  await using container = await openContainer(store, id, { sandbox })
  const { process, image, descriptor } = await container.info()
  // A name that was removed, or is an index without this platform, says nothing; the start itself tells what lacks.
  const isUnpulled = (error: unknown) => error instanceof BlobNotFoundError && error.source !== undefined
  await refuseUnpulled(store, image, { descriptor, signal: session.signal }).catch(error => {
    if (isUnpulled(error)) throw error
  })
  const connected = startOptionsOf(session, { interactive: options.interactive, terminal: process.terminal })
  using signals = new PassedSignals(session.terminal)
  const exit = await container.start({ ...connected, onStart: signals.onStart, exitCodeOf: signals.exitCodeOf })
  tellExit(session, exit)
}
