import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { discoveryCases } from './distribution/discovery-cases.ts'
import { managementCases } from './distribution/management-cases.ts'
import { pullCases } from './distribution/pull-cases.ts'
import { pushCases } from './distribution/push-cases.ts'

/* The table of rules in the server's README names existing tests, and lists all cases of the specification. */

interface Rule {
  readonly title: string
  /** Name of a file in test/server; `undefined` for a conformance case. */
  readonly file: string | undefined
}

const root = join(import.meta.dirname, '../..')

function rulesOfReadme(): readonly Rule[] {
  const text = readFileSync(join(root, 'lib/server/README.md'), 'utf8')
  const section = text.slice(text.indexOf('## The rules of the specification and their tests'))
  const rows = section.split('\n').filter(line => /^\| (?!where|---)/.test(line))
  return rows.map(row => {
    const test = row.split(' | ').at(-1)!.replace(/ \|$/, '')
    const [, title, file] = /^(.*?)(?: \(([a-z-]+)\))?$/.exec(test)!
    return isFile(file) ? { title: title!, file } : { title: test, file: undefined }
  })
}

function isFile(name: string | undefined): name is string {
  return name !== undefined && existsSync(join(root, `test/server/${name}.test.ts`))
}

const cases = [...pullCases, ...pushCases, ...discoveryCases, ...managementCases].map(([name]) => name)
const rules = rulesOfReadme()

test('every rule of the specification has a test that exists', () => {
  expect(rules.length).toBeGreaterThan(100)
  for (const { title, file } of rules) {
    if (file === undefined) expect(cases).toContain(title)
    else expect(readFileSync(join(root, `test/server/${file}.test.ts`), 'utf8')).toContain(`'${title}'`)
  }
})

test('the table lists every case of the specification', () => {
  const listed = new Set(rules.map(({ title }) => title))
  expect(cases.filter(name => !listed.has(name))).toEqual([])
})
