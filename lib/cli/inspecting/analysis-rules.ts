import { readFile } from 'node:fs/promises'
import { LayerStoreError } from '../../errors/index.ts'
import { type AnalysisRules, DIVE_DEFAULTS, parseDiveRules, parseRule } from '../../inspect/index.ts'
import { parseAmount } from '../amounts/parse-amount.ts'
import { fileFault } from '../failing/file-fault.ts'
import { UsageError } from '../failing/usage-error.ts'

/** Options that set limits for an analysis. */
export interface RuleOptions {
  readonly ci?: boolean
  readonly ciConfig?: string
  readonly lowestEfficiency?: string
  readonly highestWastedBytes?: string
  readonly highestUserWastedPercent?: string
  readonly maxSize?: string
  readonly maxUnpacked?: string
  readonly failOnSecrets?: boolean
}

const FILE = '.dive-ci'

/**
 * Reads the limits of an analysis: with `--ci` or `--ci-config` those of the file, or of dive without one; options
 * precede the file. No limit without any of them.
 */
export async function readRules(options: RuleOptions): Promise<AnalysisRules> {
  const { maxSize, maxUnpacked } = options
  const rules: { -readonly [K in keyof AnalysisRules]: number | undefined } = await rulesOfFile(options)
  for (const rule of ['lowestEfficiency', 'highestWastedBytes', 'highestUserWastedPercent'] as const) {
    const text = options[rule]
    if (text !== undefined) rules[rule] = limitOf(rule, text)
  }
  if (maxSize !== undefined) rules.highestSize = parseAmount('--max-size', maxSize, 'bytes')
  if (maxUnpacked !== undefined) rules.highestUnpackedSize = parseAmount('--max-unpacked', maxUnpacked, 'bytes')
  if (options.failOnSecrets) rules.highestSecrets = 0
  return rules
}

async function rulesOfFile({ ci, ciConfig }: RuleOptions): Promise<AnalysisRules> {
  if (!ci && ciConfig === undefined) return {}
  try {
    return parseDiveRules(await readFile(ciConfig ?? FILE, 'utf8'))
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT'
    if (isAbsent && ciConfig === undefined) return { ...DIVE_DEFAULTS }
    if (LayerStoreError.is(error)) throw error
    throw fileFault('--ci-config', ciConfig ?? FILE, error)
  }
}

function limitOf(rule: keyof AnalysisRules, text: string): number | undefined {
  try {
    return parseRule(rule, text)
  } catch (error) {
    throw new UsageError(`--${(error as Error).message}`)
  }
}
