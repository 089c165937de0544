import { FormatError } from '../../errors/index.ts'
import type { AnalysisRules } from './check-rules.ts'

/** Limits that dive applies without a file. */
export const DIVE_DEFAULTS: AnalysisRules = { lowestEfficiency: 0.9, highestUserWastedPercent: 0.1 }

/** Names of the rules, old and new, in lower case without hyphens and underscores. */
const NAMES: Readonly<Record<string, keyof AnalysisRules>> = {
  lowestefficiency: 'lowestEfficiency',
  lowestefficiencythreshold: 'lowestEfficiency',
  highestwastedbytes: 'highestWastedBytes',
  highestuserwastedpercent: 'highestUserWastedPercent',
}

/**
 * Parses a `.dive-ci` file: the rules under `rules:`, one `name: value` a line, with comments and quotes. A rule that
 * the file does not name keeps dive's default, 0.9 for `lowestEfficiency` and 0.1 for `highestUserWastedPercent`;
 * `disabled`, `off`, `false` or nothing disables a rule.
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` with the line for anything else: an unknown or misspelt rule must
 * not pass silently.
 * @see {@link https://github.com/wagoodman/dive#ci-integration | dive: CI integration}
 */
export function parseDiveRules(text: string): AnalysisRules {
  const rules: Record<string, number | undefined> = { ...DIVE_DEFAULTS }
  let isInRules = false
  for (const [i, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.replace(/(^|\s)#.*$/, '').trimEnd()
    if (line.trim() === '' || line === '---') continue
    if (/^rules:$/.test(line)) {
      isInRules = true
      continue
    }
    const [, name = '', value = ''] = /^\s+["']?([A-Za-z_-]+)["']?:\s*(.*)$/.exec(line) ?? []
    const rule = NAMES[name.toLowerCase().replaceAll(/[-_]/g, '')]
    if (!isInRules || !rule) {
      throw new FormatError('ERR_INVALID_ARGUMENT', `.dive-ci, line ${i + 1}: no rule of dive: ${JSON.stringify(raw)}`)
    }
    rules[rule] = parseRule(rule, value.replace(/^(["'])(.*)\1$/, '$2'))
  }
  return rules
}

/**
 * Parses the value of one rule, as dive writes it: a share (`0.95`), a size (`20MB`, `1GiB`), or `disabled`.
 *
 * @returns `undefined` for a disabled rule.
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT`.
 */
export function parseRule(rule: keyof AnalysisRules, text: string): number | undefined {
  const value = text.trim().toLowerCase()
  if (['', 'disabled', 'off', 'false'].includes(value)) return undefined
  const isShare = rule === 'lowestEfficiency' || rule === 'highestUserWastedPercent'
  const parsed = isShare ? shareOf(value) : bytesOf(value)
  if (parsed !== undefined) return parsed
  const expected = isShare ? 'a share from 0 to 1' : 'a size such as 20MB'
  throw new FormatError('ERR_INVALID_ARGUMENT', `${rule} must be ${expected} or disabled, is ${JSON.stringify(text)}`)
}

function shareOf(value: string): number | undefined {
  const share = /^\d*\.?\d+(e-?\d+)?$/.test(value) ? Number(value) : Number.NaN
  return share >= 0 && share <= 1 ? share : undefined
}

function bytesOf(value: string): number | undefined {
  const [, digits = '', prefix = '', binary] = /^([\d.,]+)\s*([kmgtpe]?)(i?)b?$/.exec(value) ?? []
  const bytes = Number(digits.replaceAll(',', '')) * (binary ? 1024 : 1000) ** ' kmgtpe'.indexOf(prefix || ' ')
  return digits !== '' && Number.isFinite(bytes) ? Math.floor(bytes) : undefined
}
