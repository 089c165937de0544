const IMPACT = { H: 0.56, L: 0.22, N: 0 }
const WEIGHTS = {
  AV: { N: 0.85, A: 0.62, L: 0.55, P: 0.2 },
  AC: { L: 0.77, H: 0.44 },
  UI: { N: 0.85, R: 0.62 },
  C: IMPACT,
  I: IMPACT,
  A: IMPACT,
} as const
const PRIVILEGES = { U: { N: 0.85, L: 0.62, H: 0.27 }, C: { N: 0.85, L: 0.68, H: 0.5 } } as const

/**
 * Base score of a CVSS vector of version 3.0 or 3.1; `undefined` for other vectors.
 *
 * @see {@link https://www.first.org/cvss/v3.1/specification-document | CVSS 3.1, 7.1}
 */
export function cvssScore(vector: string): number | undefined {
  if (!/^CVSS:3\.[01]\//.test(vector)) return undefined
  const values = new Map(vector.split('/').map(part => part.split(':') as [string, string]))
  const weight = (table: Readonly<Record<string, number>>, name: string) => table[values.get(name) ?? ''] ?? Number.NaN
  const isChanged = values.get('S') === 'C'
  const [c, i, a] = (['C', 'I', 'A'] as const).map(name => weight(WEIGHTS[name], name))
  const base = 1 - (1 - c!) * (1 - i!) * (1 - a!)
  const impact = isChanged ? 7.52 * (base - 0.029) - 3.25 * (base - 0.02) ** 15 : 6.42 * base
  const privileges = weight(PRIVILEGES[isChanged ? 'C' : 'U'], 'PR')
  const exploitability =
    8.22 * weight(WEIGHTS.AV, 'AV') * weight(WEIGHTS.AC, 'AC') * privileges * weight(WEIGHTS.UI, 'UI')
  const sum = impact + exploitability
  if (Number.isNaN(sum)) return undefined
  return impact <= 0 ? 0 : roundUp(Math.min(isChanged ? 1.08 * sum : sum, 10))
}

/** SPEC: Appendix A: rounding that does not depend on floating point. */
function roundUp(value: number): number {
  const whole = Math.round(value * 100_000)
  return whole % 10_000 === 0 ? whole / 100_000 : (Math.floor(whole / 10_000) + 1) / 10
}
