import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

/* The code on the pages of lib/guides/ is that of files in test/examples/guides/, which a test executes. */

const root = resolve(import.meta.dirname, '../..')
const examples = join(root, 'test/examples/guides')
const pages = readdirSync(join(root, 'lib/guides')).map(name => join(root, 'lib/guides', name))

/** A marker, and the code under it; the code is absent on a new page. */
const MARKED = /<!-- (test\/examples\/guides\/\S+)#(\w+) -->\n(?:```ts\n([\s\S]*?)```\n)?/g

test('the code of each guide is that of an executed example (UPDATE_GUIDES=1 writes it anew)', () => {
  for (const page of pages) {
    if (process.env.UPDATE_GUIDES) writeFileSync(page, withCode(readFileSync(page, 'utf8')))
    const text = readFileSync(page, 'utf8')
    expect(text, relative(root, page)).toBe(withCode(text))
  }
})

test('every region of an example is on a guide, and every example is executed', () => {
  const shown = pages.flatMap(page =>
    [...readFileSync(page, 'utf8').matchAll(MARKED)].map(([, file, name]) => `${file}#${name}`),
  )
  const written = readdirSync(examples).flatMap(file =>
    [...readFileSync(join(examples, file), 'utf8').matchAll(/^\/\/ #region (\w+)$/gm)].map(
      ([, name]) => `test/examples/guides/${file}#${name}`,
    ),
  )
  expect(shown.sort()).toEqual(written.sort())
  const runner = readFileSync(join(root, 'test/examples/guides.example.test.ts'), 'utf8')
  const child = readFileSync(join(root, 'test/helpers/publish-child.mjs'), 'utf8')
  expect(readdirSync(examples).filter(file => !`${runner}${child}`.includes(`guides/${file}`))).toEqual([])
})

test('a guide has no other TypeScript than that of examples, but for single lines', () => {
  const long = pages.flatMap(page =>
    [
      ...readFileSync(page, 'utf8')
        .replaceAll(MARKED, '')
        .matchAll(/```(?:ts|js)\n([\s\S]*?)```/g),
    ]
      .map(([, code]) => code!.trim())
      .filter(code => code.includes('\n')),
  )
  expect(long).toEqual([])
})

test('the documentation lists every guide', () => {
  const { projectDocuments } = JSON.parse(readFileSync(join(root, 'typedoc.json'), 'utf8'))
  const missing = pages.map(page => relative(root, page)).filter(page => !projectDocuments.includes(page))
  expect(missing).toEqual([])
})

function withCode(text: string): string {
  return text.replaceAll(MARKED, (_, file: string, name: string) => {
    return `<!-- ${file}#${name} -->\n\`\`\`ts\n${region(file, name)}\n\`\`\`\n`
  })
}

/** The text between `#region` and `#endregion`. */
function region(file: string, name: string): string {
  const text = readFileSync(join(root, file), 'utf8')
  const [, code] = new RegExp(`^// #region ${name}\\n([\\s\\S]*?)^// #endregion$`, 'm').exec(text) ?? []
  if (code === undefined) throw new Error(`${file} has no region ${name}`)
  return code.trim()
}

test('every document of lib/ states its title and its group in the published documentation', () => {
  const documents = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' }).filter(f => f.endsWith('.md'))
  const groups = /^---\ntitle: .+\ngroup: (Guides|Architecture|Rooms|Rationale)\n---\n/
  expect(documents.filter(file => !groups.test(readFileSync(join(root, 'lib', file), 'utf8')))).toEqual([])
})
