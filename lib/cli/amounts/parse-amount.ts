import { UsageError } from '../failing/usage-error.ts'

const UNITS = {
  count: { '': 1 },
  time: { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 },
  bytes: { '': 1, b: 1, k: 1e3, kb: 1e3, m: 1e6, mb: 1e6, g: 1e9, gb: 1e9, t: 1e12, tb: 1e12 },
} as const
const BINARY = { kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40 }
const EXPECTED = {
  count: 'a whole number, such as 3',
  time: 'a time with a unit, such as 30d, 12h or 90m',
  bytes: 'a size, such as 10GB, 512MiB or 1000000',
}

/** Parses a number with an optional unit: `30d` to milliseconds, `10GB` or `2GiB` to bytes, `3` as it is. */
export function parseAmount(option: string, text: string, kind: keyof typeof UNITS): number {
  const [, digits = '', unit = ''] = /^(\d{1,12}(?:\.\d{1,6})?)\s*([a-z]*)$/i.exec(text.trim()) ?? []
  const units: Readonly<Record<string, number>> = kind === 'bytes' ? { ...UNITS.bytes, ...BINARY } : UNITS[kind]
  const name = unit.toLowerCase()
  const amount = Object.hasOwn(units, name) ? Math.round(Number(digits) * (units[name] as number)) : Number.NaN
  if (digits === '' || !Number.isSafeInteger(amount) || (kind === 'count' && digits.includes('.'))) {
    throw new UsageError(`${option} takes ${EXPECTED[kind]}; got ${JSON.stringify(text)}`)
  }
  return amount
}
