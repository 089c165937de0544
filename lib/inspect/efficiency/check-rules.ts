import { FormatError } from '../../errors/index.ts'
import type { DiveEfficiency } from './measure-efficiency.ts'

/** Limits that an image must keep: those of dive's `.dive-ci`, and further ones. An absent limit is not checked. */
export interface AnalysisRules {
  /** Lowest score of dive, 0 to 1. */
  readonly lowestEfficiency?: number | undefined
  /** Most bytes that dive counts as wasted. */
  readonly highestWastedBytes?: number | undefined
  /** Largest share of wasted bytes in the bytes above the lowest layer, 0 to 1. */
  readonly highestUserWastedPercent?: number | undefined
  /** Most bytes of all compressed layers. */
  readonly highestSize?: number | undefined
  /** Most bytes of all files in all layers. */
  readonly highestUnpackedSize?: number | undefined
  /** Most secrets that are found in layers. */
  readonly highestSecrets?: number | undefined
}

/** Outcome of one rule. */
export interface RuleResult {
  /** Name of the rule. */
  readonly rule: keyof AnalysisRules
  /** True if the image keeps the limit. */
  readonly passed: boolean
  /** The limit. */
  readonly limit: number
  /** Figure of the image. */
  readonly actual: number
}

/** Figures that rules limit; an analysis has them. */
export interface RuledFigures {
  /** Figures of dive. */
  readonly efficiency: Pick<DiveEfficiency, 'score' | 'wastedBytes' | 'userWastedPercent' | 'sizeBytes'>
  /** Bytes of all compressed layers. */
  readonly blobBytes: number
  /** Secrets that were found. */
  readonly secrets: {
    /** Number of secrets. */
    readonly count: number
  }
}

/**
 * Compares an analysis with limits: one result for each limit, in a fixed order. A figure equal to its limit passes, as
 * in dive.
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for a limit that is no number, negative, or a share over 1.
 */
export function checkRules(figures: RuledFigures, rules: AnalysisRules): readonly RuleResult[] {
  const { efficiency, blobBytes, secrets } = figures
  const actual: Readonly<Record<keyof AnalysisRules, number>> = {
    lowestEfficiency: efficiency.score,
    highestWastedBytes: efficiency.wastedBytes,
    highestUserWastedPercent: efficiency.userWastedPercent,
    highestSize: blobBytes,
    highestUnpackedSize: efficiency.sizeBytes,
    highestSecrets: secrets.count,
  }
  return Object.keys(actual).flatMap(name => {
    const rule = name as keyof AnalysisRules
    const limit = rules[rule]
    if (limit === undefined) return []
    assertLimit(rule, limit)
    const passed = rule === 'lowestEfficiency' ? actual[rule] >= limit : actual[rule] <= limit
    return [{ rule, passed, limit, actual: actual[rule] }]
  })
}

function assertLimit(rule: keyof AnalysisRules, limit: number): void {
  const isShare = rule === 'lowestEfficiency' || rule === 'highestUserWastedPercent'
  if (limit >= 0 && (!isShare || limit <= 1)) return
  const expected = isShare ? 'a number from 0 to 1' : 'a number from 0'
  throw new FormatError('ERR_INVALID_ARGUMENT', `${rule} must be ${expected}, is ${limit}`)
}
