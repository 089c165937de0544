import { UsageError } from '../failing/usage-error.ts'
import { formatTable } from './format-table.ts'
import { literal } from './literal.ts'
import { printable } from './printable.ts'

/** Fields of one row, by the names that docker gives them. */
export type TemplateRow = Readonly<Record<string, string>>

/**
 * Formats rows by a `--format` of docker: `json` (one JSON object for each row), `table TEMPLATE`, or a template. A
 * template is text with `{{.Field}}`, `{{json .}}` and `{{json .Field}}`; `\t` and `\n` are escapes.
 *
 * SAFETY: values come from images and may hold control characters, so they are escaped. Tabs and line ends of the
 * template itself are kept: the user wrote them.
 *
 * @param headings - Column headings of `table`, by field; also the list of known fields.
 * @throws {@link UsageError} for other actions of Go templates and for unknown fields.
 */
export function formatTemplate(format: string, rows: readonly TemplateRow[], headings: TemplateRow): string {
  if (format === 'json') return rows.map(row => `${printable(JSON.stringify(row))}\n`).join('')
  const [, isTable, text = ''] = /^(table(?:\s+|$))?(.*)$/s.exec(format) ?? []
  const parts = parseTemplate(text.replaceAll('\\t', '\t').replaceAll('\\n', '\n'), headings)
  if (!isTable) return rows.map(row => `${parts.map(part => fill(part, row)).join('')}\n`).join('')
  const cells = (row: TemplateRow) =>
    parts
      .map(part => fill(part, row))
      .join('')
      .split('\t')
  return formatTable(cells(headings), rows.map(cells))
    .map(line => `${line}\n`)
    .join('')
}

/** Literal text, one field, or a row or field as JSON. */
type Part = string | { readonly field: string | undefined; readonly json: boolean }

function parseTemplate(text: string, known: TemplateRow): Part[] {
  const parts: Part[] = []
  let end = 0
  for (const match of text.matchAll(/\{\{(.*?)\}\}/gs)) {
    parts.push(literal(text.slice(end, match.index)), parseAction(match[1]!.trim(), known))
    end = match.index + match[0].length
  }
  return [...parts, literal(text.slice(end))]
}

function parseAction(action: string, known: TemplateRow): Part {
  const [, json, field = ''] = /^(json\s+)?\.(\w*)$/.exec(action) ?? []
  const isRow = json !== undefined && field === ''
  if (isRow || Object.hasOwn(known, field)) return { field: isRow ? undefined : field, json: json !== undefined }
  const fields = Object.keys(known)
    .map(name => `{{.${name}}}`)
    .join(' ')
  throw new UsageError(`--format knows json, {{json .}} and ${fields}; got {{${action}}}`)
}

function fill(part: Part, row: TemplateRow): string {
  if (typeof part === 'string') return part
  const value = part.field === undefined ? row : (row[part.field] ?? '')
  return printable(part.json ? JSON.stringify(value) : (value as string))
}
