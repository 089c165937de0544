import { formatReference, parseReference } from '../../../oci/index.ts'
import type { Store } from '../../../store/index.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { placeOf } from '../../places/name-place.ts'
import { refuseUnpulled } from '../../reading/refuse-unpulled.ts'
import { openSandbox, type SandboxOption } from '../../running/open-sandbox.ts'
import { PassedSignals } from '../../running/pass-signals.ts'
import { runFailure } from '../../running/run-failure.ts'
import { containerSettings, type ProcessOptions } from '../../running/run-options.ts'
import { startOptionsOf } from '../../running/start-options.ts'
import { tellExit } from '../../running/tell-exit.ts'
import type { Session } from '../../session/session.ts'
import { checkPolicyFile, type PolicyOption, verifierOf } from '../../signing/policy-of.ts'

/** Options of `run`. */
export interface RunCommandOptions extends ProcessOptions, SandboxOption, PolicyOption {
  readonly rm?: boolean
  readonly keep?: string
  readonly name?: string
  readonly interactive?: boolean
  readonly platform?: string
  readonly pull?: string
}

/** `run NAME [CMD…]`: runs a command in a new container of an image; ends with its exit code. */
export async function run(
  session: Session,
  name: string,
  command: readonly string[],
  options: RunCommandOptions,
): Promise<void> {
  session.failureExit = runFailure
  const { keep, platform, tty, interactive } = options
  if (keep !== undefined && (options.rm || options.name !== undefined)) {
    throw new UsageError(`--keep ${keep} names the container and keeps it; leave --rm and --name out`)
  }
  await checkPolicyFile(options)
  const settings = await containerSettings(command, options, session.terminal.env)
  const connected = startOptionsOf(session, { interactive, terminal: tty ?? false })
  if (options.publish) session.note('ports of the container are those of this machine; none is mapped')
  const store = await session.containerStore()
  const image = await imageFor(session, store, name, options)
  await refuseUnpulled(store, image, { platform, signal: session.signal })
  const { runImage } = await import('../../../sandbox/index.ts')
  await using sandbox = await openSandbox(session, options)
  using signals = new PassedSignals(session.terminal)
  const exit = await runImage(store, image, {
    ...settings,
    ...connected,
    platform,
    id: keep ?? options.name,
    keep: keep !== undefined,
    sandbox,
    onStart: signals.onStart,
    exitCodeOf: signals.exitCodeOf,
  })
  tellExit(session, exit)
}

/** Resolves to the name of the image in the store; one that it lacks is pulled, as `docker run` does. */
async function imageFor(
  session: Session,
  store: Store,
  text: string,
  { pull = 'missing', platform, policy }: RunCommandOptions,
): Promise<string> {
  if (!['missing', 'always', 'never'].includes(pull)) {
    throw new UsageError(`--pull takes missing, always or never; got ${JSON.stringify(pull)}`)
  }
  const place = await placeOf(session, text, { store, plain: pull === 'never' ? 'error' : 'registry' })
  if (place.where === 'store' && pull !== 'always') return place.name
  if (pull === 'never') throw new UsageError(`${text} is not in the store, and --pull never`)
  const reference = formatReference(parseReference(place.name))
  const wasSought = place.where === 'registry' && !text.startsWith('docker://')
  session.note(`${wasSought ? `no image ${text} in the store; ` : ''}pulling ${reference}`)
  const { planPull, runPull } = await import('../../../transfer/index.ts')
  const { signal } = session
  const verify = await verifierOf(session, { policy })
  const registry = await session.registry()
  const plan = await planPull(registry, store, place.name, { platform, signal })
  const result = await session.transfer(
    onProgress => runPull(plan, { registry, store, concurrency: session.jobs, verify, onProgress, signal }),
    { plan },
  )
  return result.name
}
