import { createHash } from 'node:crypto'
import type { PackedTree } from './pack-tree.ts'
import { pageCode } from './page-code.ts'
import type { ReportData } from './report-data.ts'
import type { ErrorData, ListData } from './site-data.ts'

/** Longest text in the data of a page, but for the trees of files, in UTF-16 units. */
const LONGEST_TEXT = 4000

const ICON =
  'data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 viewBox=%220 0 16 16%22%3E%3Cpath fill=%22%230f6b66%22 ' +
  'd=%22M2 2h12v3H2zm0 4.5h9v3H2zM2 11h12v3H2z%22/%3E%3C/svg%3E'

/**
 * Writes a page: the script and the style of all pages, and its data.
 *
 * SAFETY: names, paths and commands come from images. In the markup they are escaped ({@link escapeHtml}); everywhere
 * else they are JSON in a block that no `<` can end ({@link dataBlock}), and the script makes text nodes of them. The
 * policy admits that one script and style by their hashes, so that markup which got through would still run nothing.
 */
export function renderPage(
  title: string,
  data: ReportData | ListData | ErrorData,
  trees: readonly PackedTree[] = [],
): string {
  const { script, style } = pageCode()
  // PERF: the trees, nearly all of the data, have no long text but lists of names.
  const json = JSON.stringify(data, (_, value) => (typeof value === 'string' ? shortened(value) : value))
  const name = escapeHtml(shortened(title))
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy()}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="${ICON}">
<title>${name === '' ? 'layerstore' : `${name} · layerstore`}</title>
<style>${style}</style>
</head>
<body>
<noscript><p>This page shows ${name === '' ? 'images' : name}. It needs JavaScript, which is in the page itself.</p></noscript>
${dataBlock('data', json)}
${trees.map((tree, i) => dataBlock(`tree-${i}`, JSON.stringify(tree))).join('\n')}
<script type="module">${script}</script>
</body>
</html>
`
}

/** Content policy of a page: nothing is loaded, and no script or style but its own is used. */
export function contentPolicy(): string {
  const { script, style } = pageCode()
  return [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}

/** Characters that end a block, begin markup, or change how a reader of the source sees it. */
const UNSAFE = /[<>&\u007f-\u009f\u2028\u2029\p{Bidi_Control}]/gu

/** A block of data. JSON is inert in it, since no `<` can end it. */
function dataBlock(id: string, json: string): string {
  return `<script type="application/json" id="${id}">${json.replace(UNSAFE, unicodeEscape)}</script>`
}

function escapeHtml(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\p{Cs}]/gu, unicodeEscape)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function shortened(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text
}
