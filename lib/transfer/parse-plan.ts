import { isDigest } from '../digest/index.ts'
import { FormatError } from '../errors/index.ts'
import { JsonFault, parseStrictJson } from '../internal/strict-json.ts'
import { attachedTagIn, parseDescriptor } from '../oci/index.ts'
import type { AnyPlan, Need, StepKind } from './plan.ts'

const KINDS: readonly StepKind[] = ['config', 'layer', 'manifest', 'index', 'blob']
const NEEDS: readonly Need[] = ['present', 'fetch', 'resume', 'await', 'upload', 'mount', 'copy', 'make', 'skip']
const NAMES = { pull: ['reference', 'name'], push: ['reference', 'name'], copy: ['from', 'to'] } as const
/** SAFETY: limits the memory of a parsed plan; an index of thousands of images has fewer steps. */
const MAX_STEPS = 100_000

type Members = Readonly<Record<string, unknown>>

/**
 * Parses a plan that was stored as JSON. It checks the form of the plan, not its content: the run asks source and
 * target again, and compares every byte with its digest.
 *
 * @example
 * ```ts
 * const plan = parsePlan(await readFile('plan.json'))
 * if (plan.kind === 'pull') await runPull(plan, { registry, store })
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` with the position of the fault.
 */
export function parsePlan(bytes: Uint8Array): AnyPlan {
  const plan = object(parsed(bytes), '')
  const kind = plan.kind as AnyPlan['kind']
  if (typeof kind !== 'string' || !Object.hasOwn(NAMES, kind)) fail('kind', 'must be pull, push or copy')
  if (plan.version !== 1) fail('version', `must be 1, is ${JSON.stringify(plan.version) ?? 'missing'}`)
  for (const name of NAMES[kind]) if (typeof plan[name] !== 'string') fail(name, 'must be a string')
  for (const sum of ['bytesTotal', 'bytesPresent', 'bytesInFlight']) checkCount(plan[sum], sum)
  for (const list of ['platforms', 'platformsLeftOut']) checkStrings(plan[list], list)
  if (kind !== 'pull') checkStrings(plan.tags, 'tags')
  if (plan.index !== undefined && !isDigest(plan.index)) fail('index', 'must be a digest')
  checkSteps(plan)
  return plan as unknown as AnyPlan
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return parseStrictJson(bytes)
  } catch (cause) {
    if (cause instanceof JsonFault) return fail(`byte ${cause.position}`, cause.message, cause)
    throw cause
  }
}

function checkSteps({ root, steps }: Members): void {
  if (!Array.isArray(steps)) throw fault('steps', 'must be an array')
  if (steps.length > MAX_STEPS) fail('steps', `has ${steps.length} members, more than ${MAX_STEPS}`)
  for (const [i, step] of steps.entries()) checkStep(object(step, `steps[${i}]`), `steps[${i}]`)
  const { digest } = checkDescriptor(root, 'root')
  const below = steps.filter(({ belowRoot }) => belowRoot !== false)
  if (below.at(-1)?.descriptor.digest !== digest) fail('steps', 'must have the root after all that is below it')
}

function checkStep(step: Members, at: string): void {
  checkDescriptor(step.descriptor, `${at}.descriptor`)
  if (!KINDS.includes(step.kind as StepKind)) fail(`${at}.kind`, `must be one of ${KINDS.join(', ')}`)
  if (!NEEDS.includes(step.need as Need)) fail(`${at}.need`, `must be one of ${NEEDS.join(', ')}`)
  if (typeof step.reason !== 'string') fail(`${at}.reason`, 'must be a string')
  for (const key of ['from', 'content']) {
    if (step[key] !== undefined && typeof step[key] !== 'string') fail(`${at}.${key}`, 'must be a string')
  }
  if (step.offset !== undefined) checkCount(step.offset, `${at}.offset`)
  if (step.sameDiffIdAs !== undefined && !isDigest(step.sameDiffIdAs)) fail(`${at}.sameDiffIdAs`, 'must be a digest')
  if (step.tags !== undefined) checkTags(step, `${at}.tags`)
  if (step.belowRoot !== undefined && step.belowRoot !== false) fail(`${at}.belowRoot`, 'can only be false')
}

/** SAFETY: any other tag would name a second image, which no policy looks at. */
function checkTags({ kind, tags }: Members, at: string): void {
  checkStrings(tags, at)
  const areAttached = (tags as readonly string[]).every(tag => attachedTagIn(tag) === tag)
  if (kind !== 'manifest' && kind !== 'index') fail(at, 'can only be those of a manifest or index')
  if (!areAttached) fail(at, 'must be sha256-<hex>.sig, .att or .sbom')
}

function checkDescriptor(value: unknown, at: string) {
  try {
    return parseDescriptor(value)
  } catch (cause) {
    if (cause instanceof FormatError) return fail(at, cause.message, cause)
    throw cause
  }
}

function checkCount(value: unknown, at: string): void {
  if (!Number.isSafeInteger(value) || (value as number) < 0) fail(at, 'must be a whole number of bytes')
}

function checkStrings(value: unknown, at: string): void {
  if (!Array.isArray(value) || value.some(one => typeof one !== 'string')) fail(at, 'must be an array of strings')
}

/** SAFETY: JSON may contain a member `__proto__`; its members must not count as members of the object. */
function object(value: unknown, at: string): Members {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return fail(at, 'must be an object')
  if (Object.hasOwn(value, '__proto__')) return fail(at, 'has a member __proto__')
  return value as Members
}

function fail(at: string, message: string, cause?: unknown): never {
  throw fault(at, message, cause)
}

function fault(at: string, message: string, cause?: unknown): FormatError {
  return new FormatError('ERR_INVALID_ARGUMENT', `not a plan: ${message}`, { at, cause })
}
