import { didYouMean } from '../did-you-mean.ts'
import { dockerfileFault, type NamedSource, quoted } from '../dockerfile-fault.ts'
import type { Instruction, InstructionFlag, InstructionName } from '../document.ts'
import { readMountFields } from '../mount-fields.ts'
import { parseDuration } from './parse-duration.ts'

type FlagKind = 'text' | 'list' | 'boolean'

const FILE_FLAGS = { chown: 'text', chmod: 'text', link: 'boolean', exclude: 'list' } as const
const FLAGS: ReadonlyMap<InstructionName, ReadonlyMap<string, FlagKind>> = new Map([
  ['ADD', flagsOf({ ...FILE_FLAGS, 'keep-git-dir': 'boolean', checksum: 'text', unpack: 'boolean' })],
  ['COPY', flagsOf({ ...FILE_FLAGS, from: 'text', parents: 'boolean' })],
  ['FROM', flagsOf({ platform: 'text' })],
  [
    'HEALTHCHECK',
    flagsOf({ interval: 'text', timeout: 'text', 'start-period': 'text', 'start-interval': 'text', retries: 'text' }),
  ],
  ['RUN', flagsOf({ mount: 'list', network: 'text', security: 'text', device: 'list' })],
])
const NO_FLAGS: ReadonlyMap<string, FlagKind> = new Map()

function flagsOf(kinds: Readonly<Record<string, FlagKind>>): ReadonlyMap<string, FlagKind> {
  return new Map(Object.entries(kinds))
}

/** Checks names and values of flags. */
export function checkFlags(instruction: Instruction, source: NamedSource): void {
  if (instruction.flags.length === 0 || ignoresFlags(instruction)) return
  const known = FLAGS.get(instruction.name) ?? NO_FLAGS
  const seen = new Set<string>()
  for (const flag of instruction.flags) {
    const kind = known.get(flag.name)
    if (kind === undefined) {
      const hint = didYouMean(flag.name, known.keys())?.replace('mean ', 'mean --')
      throw dockerfileFault(source, flag.position, `unknown flag --${flag.name.slice(0, 80)} of ${instruction.name}`, {
        hint,
      })
    }
    if (kind !== 'list' && seen.has(flag.name)) {
      throw dockerfileFault(source, flag.position, `duplicate flag --${flag.name}`)
    }
    seen.add(flag.name)
    checkKind(flag, kind, source)
    checkValue(instruction, flag, source)
  }
}

/** SPEC: a quirk of BuildKit: these never look at their flags. */
function ignoresFlags({ name, words }: Instruction): boolean {
  if (name === 'ARG' || name === 'STOPSIGNAL') return true
  return name === 'HEALTHCHECK' && words[0]?.text.toUpperCase() === 'NONE'
}

function checkKind({ name, value, position }: InstructionFlag, kind: FlagKind, source: NamedSource): void {
  if (kind !== 'boolean') {
    if (value === undefined) throw dockerfileFault(source, position, `flag --${name} needs a value`)
  } else if (value !== undefined && !/^(true|false)$/i.test(value)) {
    throw dockerfileFault(source, position, `flag --${name} is true or false, not ${quoted(value)}`)
  }
}

function checkValue(
  instruction: Instruction,
  { name, value = '', position }: InstructionFlag,
  source: NamedSource,
): void {
  const fail = (message: string, details?: Parameters<typeof dockerfileFault>[3]): never => {
    throw dockerfileFault(source, position, message, details)
  }
  const flag = `${instruction.name} ${name}`
  if (flag === 'COPY from' && /\$./.test(value)) fail('variables are not expanded in --from', FROM_HINT)
  else if (flag === 'RUN mount') checkMount(value, fail)
  else if (flag === 'RUN network' && !['default', 'none', 'host'].includes(value)) {
    fail(`network ${quoted(value)} is none of default, none, host`)
  } else if (flag === 'RUN security') checkSecurity(value, fail)
  else if (flag === 'RUN device') fail('RUN --device is not supported', UNSUPPORTED)
  else if (flag === 'HEALTHCHECK retries') checkRetries(value, fail)
  else if (instruction.name === 'HEALTHCHECK') checkDuration(name, value, fail)
}

type Fail = (message: string, details?: Parameters<typeof dockerfileFault>[3]) => never

const UNSUPPORTED = { code: 'ERR_DOCKERFILE_UNSUPPORTED' } as const
const FROM_HINT = { hint: 'give the stage or image an alias: FROM $NAME AS alias' }

function checkMount(text: string, fail: Fail): void {
  const fields = readMountFields(text)
  if (fields === undefined) fail(`--mount=${quoted(text)} is not a list of fields`)
  const from = fields?.find(({ key, value }) => key === 'from' && value !== undefined && /\$./.test(value))
  if (from) fail('variables are not expanded in from= of --mount', FROM_HINT)
}

function checkSecurity(value: string, fail: Fail): void {
  if (value === 'insecure') fail('RUN --security=insecure is not supported', UNSUPPORTED)
  if (value !== 'sandbox') fail(`security mode ${quoted(value)} is neither sandbox nor insecure`)
}

function checkRetries(value: string, fail: Fail): void {
  const isCount = /^[+-]?\d+$/.test(value) && Number(value) >= 0 && Number(value) <= 0x7fff_ffff
  if (value !== '' && !isCount) fail(`--retries is a number from 0 to 2147483647, not ${quoted(value)}`)
}

const NANOSECONDS_PER_MILLISECOND = 1_000_000

function checkDuration(name: string, value: string, fail: Fail): void {
  if (value === '') return
  const duration = parseDuration(value) ?? fail(`--${name} is a duration such as 1m30s, not ${quoted(value)}`)
  if (duration !== 0 && duration < NANOSECONDS_PER_MILLISECOND) {
    fail(`--${name} must be 0 or at least 1ms, not ${quoted(value)}`)
  }
}
