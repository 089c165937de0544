import { cleanText } from './wire-errors.ts'

/**
 * Parses the texts of `Warning: 299 - "…"` headers. They are for users only.
 *
 * @see {@link https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#warnings | warnings}
 */
export function parseWarnings(header: string | undefined): readonly string[] {
  const warnings: string[] = []
  for (const match of (header ?? '').matchAll(/\b299 - "((?:[^"\\]|\\.)*)"/g)) {
    warnings.push(cleanText(match[1]!.replace(/\\(.)/g, '$1')))
  }
  return warnings
}
