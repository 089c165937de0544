/** One element of a document: its text is that of itself, without that of its children. */
export interface XmlElement {
  readonly name: string
  readonly children: readonly XmlElement[]
  readonly text: string
}

/** Limits of one document. */
const MOST_DEPTH = 16
const MOST_ELEMENTS = 50_000

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
const NAME = String.raw`[A-Za-z_][\w.:-]*`
const TOKEN = new RegExp(
  [
    String.raw`<(?<open>${NAME})(?<attributes>(?:\s+${NAME}\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(?<empty>/?)>`,
    String.raw`</(?<close>${NAME})\s*>`,
    String.raw`(?<comment><!--(?:(?!--)[\s\S])*-->)`,
    '(?<text>[^<]+)',
  ].join('|'),
  'y',
)
const DECLARATION = /^\uFEFF?\s*(?:<\?xml(?:\s[^?<>]*)?\?>)?\s*/

interface OpenElement {
  readonly name: string
  readonly children: XmlElement[]
  text: string
}

/**
 * Reads an XML document as object storage writes it: elements and texts. Attributes and prefixes of names are left out.
 *
 * SAFETY: the document comes over the network. Document types, own entities, CDATA and instructions are refused: two
 * readers may read them differently, and no S3 service sends them. Depth and number of elements are bounded; the caller
 * bounds the bytes.
 *
 * @throws `Error` that says what is wrong and where.
 */
export function readXml(text: string): XmlElement {
  const start = DECLARATION.exec(text)![0].length
  const root: OpenElement = { name: '', children: [], text: '' }
  const open = [root]
  let count = 0
  for (let at = start; at < text.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at
    const token = TOKEN.exec(text)?.groups
    if (!token) throw fault('markup that is not supported', at)
    const parent = open.at(-1)!
    if (token.text !== undefined) {
      if (parent === root && token.text.trim() !== '') throw fault('text outside of the document', at)
      parent.text += decoded(token.text, at)
    } else if (token.open !== undefined) {
      if (parent === root && root.children.length > 0) throw fault('a second document', at)
      if (++count > MOST_ELEMENTS) throw fault(`more than ${MOST_ELEMENTS} elements`, at)
      const element: OpenElement = { name: localName(token.open), children: [], text: '' }
      parent.children.push(element)
      if (token.empty === '') open.push(element)
      if (open.length > MOST_DEPTH + 1) throw fault(`nested deeper than ${MOST_DEPTH}`, at)
    } else if (token.close !== undefined) {
      if (parent === root || parent.name !== localName(token.close)) throw fault(`an end of ${token.close}`, at)
      open.pop()
    }
  }
  const [document] = root.children
  if (open.length > 1 || !document) throw fault('an incomplete document', text.length)
  return document
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}

function decoded(text: string, at: number): string {
  return text.replace(/&([^;&]{0,12});?/g, (whole, name: string) => {
    const known = Object.hasOwn(ENTITIES, name) ? ENTITIES[name] : undefined
    const number = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(name)
    const code = number ? Number.parseInt(number[1] ?? number[2]!, number[1] ? 16 : 10) : -1
    const isScalar = code >= 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
    if (!whole.endsWith(';') || (known === undefined && !isScalar)) throw fault('an unknown entity', at)
    return known ?? String.fromCodePoint(code)
  })
}

function fault(what: string, at: number): Error {
  return new Error(`${what} at offset ${at}`)
}

/** Text of the first child with that name. */
export function textOf(element: XmlElement, name: string): string | undefined {
  return element.children.find(child => child.name === name)?.text
}

/** All children with that name. */
export function childrenOf(element: XmlElement, name: string): readonly XmlElement[] {
  return element.children.filter(child => child.name === name)
}
