import { open } from 'node:fs/promises'
import type { PlanChange } from '../../errors/index.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import type { AnyPlan } from '../../transfer/index.ts'
import { fileFault } from '../failing/file-fault.ts'
import { UsageError } from '../failing/usage-error.ts'
import type { Session } from '../session/session.ts'
import { stdinOf } from './stdin-of.ts'

/** Options of commands that run plans. */
export interface StoredPlanOptions {
  readonly plan?: boolean
  readonly fromPlan?: string
  readonly ifChanged?: string
}

/** Maximum size of a plan file; a plan of ten thousand images is smaller. */
const MAX_PLAN_BYTES = 64 * 1024 * 1024

/**
 * Reads a plan that `--plan --json` wrote, from a file or stdin; `undefined` if no plan was given.
 *
 * @param others - Names of the given arguments and options that conflict with a plan, because the plan contains them.
 */
export async function storedPlan<K extends AnyPlan['kind']>(
  session: Session,
  kind: K,
  options: StoredPlanOptions,
  others: Readonly<Record<string, unknown>>,
): Promise<(AnyPlan & { readonly kind: K }) | undefined> {
  const { fromPlan: file } = options
  if (file === undefined) {
    if (options.ifChanged !== undefined) throw new UsageError('--if-changed belongs to --from-plan')
    return undefined
  }
  for (const [name, value] of Object.entries({ ...others, '--plan': options.plan })) {
    if (value !== undefined) throw new UsageError(`--from-plan takes no ${name}: the plan contains it`)
  }
  const { parsePlan } = await import('../../transfer/index.ts')
  const plan = parsePlan(await readAll(session, file))
  if (plan.kind === kind) return plan as AnyPlan & { readonly kind: K }
  throw new UsageError(`this is the plan of a ${plan.kind}: layerstore ${plan.kind} --from-plan`)
}

async function readAll(session: Session, file: string): Promise<Uint8Array> {
  if (file === '-') return collectBytes(stdinOf(session), MAX_PLAN_BYTES, 'bytes of a plan')
  try {
    await using handle = await open(file)
    return await collectBytes(handle.createReadStream({ autoClose: false }), MAX_PLAN_BYTES, 'bytes of a plan')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error
    throw fileFault('--from-plan', file, error)
  }
}

/** Parses `--if-changed`: the behaviour if the plan no longer holds. */
export function ifChangedOf({ ifChanged }: StoredPlanOptions): 'adapt' | 'fail' | undefined {
  if (ifChanged === undefined || ifChanged === 'adapt' || ifChanged === 'fail') return ifChanged
  throw new UsageError(`--if-changed takes adapt or fail; got ${JSON.stringify(ifChanged)}`)
}

/** Prints each difference between the plan and the current state. */
export function noteChanges(session: Session, changes: readonly PlanChange[]): void {
  for (const { what, digest, planned, now } of changes) {
    const words =
      what === 'source'
        ? `the name stood for ${planned}, now for ${now}`
        : `${digest}: ${planned} was planned, ${now} was needed`
    session.note(`changed since the plan: ${words}`)
  }
}

/** Returns an argument that is required unless a stored plan is given. */
export function needed(value: string | undefined, what: string): string {
  if (value === undefined) throw new UsageError(`missing ${what}, or --from-plan FILE`)
  return value
}
