import { UsageError } from '../failing/usage-error.ts'
import { literal } from './literal.ts'
import { printable } from './printable.ts'

/** A template of Go, parsed: text, a value, or a loop over a value. */
type Node = string | Action | { readonly each: Action; readonly body: readonly Node[] }

/** One function call, or with `name` empty the value of the path itself. */
interface Action {
  readonly name: '' | 'json' | 'join' | 'index' | 'len' | 'println'
  readonly path: readonly string[]
  /** Keys of `index`, or the separator of `join`. */
  readonly rest: readonly string[]
}

/**
 * Fills the templates that people give to `docker inspect --format`: `{{.Config.Env}}`, `{{json .Config}}`,
 * `{{index .RepoTags 0}}`, `{{join .Config.Cmd " "}}`, `{{len .RootFS.Layers}}`,
 * `{{range .Config.Env}}{{println .}}{{end}}`. Values are printed as Go prints them.
 *
 * SAFETY: values come from images and may hold control characters; all but line ends between values are escaped.
 *
 * @throws {@link UsageError} for what else Go templates can do, and for members that the document does not have.
 */
export function formatDocument(template: string, document: Readonly<Record<string, unknown>>): string {
  const tokens = template
    .replaceAll('\\t', '\t')
    .replaceAll('\\n', '\n')
    .split(/(\{\{.*?\}\})/s)
  const { nodes, end } = parseNodes(tokens, 0)
  if (end < tokens.length) throw new UsageError('--format: {{end}} without {{range}}')
  return fill(nodes, document, document)
}

function parseNodes(tokens: readonly string[], start: number): { nodes: Node[]; end: number } {
  const nodes: Node[] = []
  for (let at = start; at < tokens.length; at++) {
    const [, inner] = /^\{\{-?\s*(.*?)\s*-?\}\}$/s.exec(tokens[at]!) ?? []
    if (inner === undefined) nodes.push(literal(tokens[at]!))
    else if (inner === 'end') return { nodes, end: at }
    else if (inner.startsWith('range ')) {
      const loop = parseNodes(tokens, at + 1)
      if (loop.end >= tokens.length) throw new UsageError('--format: {{range}} without {{end}}')
      nodes.push({ each: parseCall(inner.slice(6).trim()), body: loop.nodes })
      at = loop.end
    } else nodes.push(parseCall(inner))
  }
  return { nodes, end: tokens.length }
}

function parseCall(inner: string): Action {
  const words = inner.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? []
  const name = /^(json|join|index|len|println)$/.test(words[0] ?? '') ? (words.shift() as Action['name']) : ''
  const [path = '', ...rest] = words
  const isFull = name === 'join' ? rest.length === 1 : name === 'index' ? rest.length > 0 : rest.length === 0
  if (!/^\.([\w-]+(\.[\w-]+)*)?$/.test(path) || !isFull) {
    const known = '{{.Member}}, json, index, join, len, println and range … end'
    throw new UsageError(`--format knows ${known}; got {{${inner}}}`)
  }
  return { name, path: path.split('.').filter(part => part !== ''), rest: rest.map(unquoted) }
}

function unquoted(word: string): string {
  if (!word.startsWith('"')) return word
  try {
    return JSON.parse(word) as string
  } catch (cause) {
    throw new UsageError(`--format: ${word} is not a text with the escapes of JSON`, { cause })
  }
}

function fill(nodes: readonly Node[], value: unknown, document: Readonly<Record<string, unknown>>): string {
  return nodes
    .map(node => {
      if (typeof node === 'string') return node
      if (!('each' in node)) return run(node, value, document)
      const items = find(node.each, value, document)
      return Object.values(items ?? {})
        .map(item => fill(node.body, item, document))
        .join('')
    })
    .join('')
}

function run(action: Action, value: unknown, document: Readonly<Record<string, unknown>>): string {
  const found = find(action, value, document)
  if (action.name === 'json') return printable(JSON.stringify(found ?? null))
  if (action.name === 'len') return String(Object.keys(found ?? {}).length)
  if (action.name === 'join') return printable(Object.values(found ?? {}).join(action.rest[0]))
  if (action.name === 'index') return printable(goText(at(found, action.rest)))
  return `${printable(goText(found))}${action.name === 'println' ? '\n' : ''}`
}

function find({ path }: Action, value: unknown, document: Readonly<Record<string, unknown>>): unknown {
  const [first] = path
  if (value === document && first !== undefined && !Object.hasOwn(document, first)) {
    throw new UsageError(`--format: the members are ${Object.keys(document).join(', ')}; got .${first}`)
  }
  return at(value, path)
}

function at(value: unknown, keys: readonly string[]): unknown {
  let found = value
  for (const key of keys) {
    found = typeof found === 'object' && found !== null && Object.hasOwn(found, key) ? found[key as never] : undefined
  }
  return found
}

/** Formats a value as package fmt of Go does: `[a b]`, `map[k:v]`. */
function goText(value: unknown): string {
  if (value === undefined || value === null) return '<no value>'
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (typeof value !== 'object') return String(value)
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `map[${members.map(([key, one]) => `${key}:${goText(one)}`).join(' ')}]`
}
