import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')

/** Words for persons, which name no process, and phrases for which the field has a word. */
const DIALECT =
  /\b(who|whoever|whom|somebody|someone|nobody|anybody|anyone|everybody|everyone)\b|\bstands? (for|in|twice)\b|in the same breath|\bruins\b|to blame|have a turn|\b(at hand|all else|can be had|in one go|gone through|under way)\b|what be(came|comes) of/i

const MOST_COLUMNS = 120

const comments = ['lib', 'test', 'bench'].flatMap(sources).flatMap(commentsOf)

test('comments name the process that acts, and use the words of the field', () => {
  expect(comments.filter(({ text }) => DIALECT.test(text)).map(shown)).toEqual([])
})

test('a comment of lib/ begins with a verb or a noun, not with a question word', () => {
  const asks = /^\s*(\/\*\*?|\/\/)[\s*]*(What|How|Who|Which|Where|Why|Of)\b/
  const found = comments.filter(({ at, text }) => at.startsWith('lib/') && asks.test(text))
  expect(found.map(shown)).toEqual([])
})

test('no line of a comment has more than 120 columns', () => {
  const isWide = (line: string) => line.length > MOST_COLUMNS && !line.includes('http')
  expect(comments.filter(({ text }) => text.split('\n').some(isWide)).map(({ at }) => at)).toEqual([])
})

test('no line of prose in a document has more than 120 columns', () => {
  const documents = ['README.md', 'CHANGELOG.md', 'bench/README.md', ...files('lib', /\.md$/)]
  const wide = documents.flatMap(file =>
    proseOf(readFileSync(join(root, file), 'utf8')).flatMap(({ line, text }) =>
      text.length > MOST_COLUMNS && text.trim().includes(' ') ? [`${file}:${line}`] : [],
    ),
  )
  expect(wide).toEqual([])
})

test('prose is what stands outside of front matter, fences, tables, pictures, captions and generated tables', () => {
  const text = '---\ntitle: x\n---\n# Head\n```\ncode\n```\n| a |\n![a](b)\n_2026-11-29, made by bench_\nprose\n- item'
  expect(proseOf(text).map(({ text }) => text)).toEqual(['# Head', 'prose', '- item'])
})

/** The lines of a document that are prose, and their numbers. */
function proseOf(text: string): { line: number; text: string }[] {
  let [inFront, inFence] = [text.startsWith('---\n'), false]
  return text.split('\n').flatMap((line, i) => {
    const isFence = /^\s*```/.test(line)
    const isProse = !(inFront || inFence || isFence || /^\s*(\||<|!\[|_20|\*\*provisional)/.test(line))
    if (isFence) inFence = !inFence
    if (i > 0 && line === '---') inFront = false
    return isProse && line !== '' ? [{ line: i + 1, text: line }] : []
  })
}

function shown({ at, text }: { at: string; text: string }): string {
  return `${at}: ${text.replace(/\s+/g, ' ').slice(0, 100)}`
}

function sources(folder: string): string[] {
  return files(folder, /\.(ts|mjs)$/).map(file => join(root, file))
}

/** The files of a folder at any depth, relative to the project. */
function files(folder: string, name: RegExp): string[] {
  const all = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
  return all.filter(file => name.test(file)).map(file => join(folder, file))
}

/** Every comment of a file, with its line. */
function commentsOf(file: string): { at: string; text: string }[] {
  const text = readFileSync(file, 'utf8')
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true)
  const found = new Map<number, string>()
  const visit = (node: ts.Node) => {
    const ranges = [
      ...(ts.getLeadingCommentRanges(text, node.pos) ?? []),
      ...(ts.getTrailingCommentRanges(text, node.end) ?? []),
    ]
    for (const { pos, end } of ranges) found.set(pos, text.slice(text.lastIndexOf('\n', pos) + 1, end))
    ts.forEachChild(node, visit)
  }
  visit(source)
  return [...found].map(([pos, comment]) => ({
    at: `${relative(root, file)}:${text.slice(0, pos).split('\n').length}`,
    text: comment,
  }))
}
