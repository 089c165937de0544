import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '..')

/** Regular expressions that are members of what `toMatchObject` gets. */
function barePatterns(text: string): string[] {
  const found: string[] = []
  const visit = (node: ts.Node, isExpected: boolean): void => {
    if (isExpected && ts.isRegularExpressionLiteral(node)) found.push(node.text)
    const isMatch = ts.isCallExpression(node) && /\.toMatchObject$/.test(node.expression.getText())
    // What another call gets, such as `expect.stringMatching`, is that call's own.
    const inside = isMatch || (isExpected && !ts.isCallExpression(node))
    ts.forEachChild(node, child => visit(child, isMatch ? child !== node.expression : inside))
  }
  visit(ts.createSourceFile('x.ts', text, ts.ScriptTarget.Latest, true), false)
  return found
}

test('no test gives toMatchObject a bare regular expression: it would match anything', () => {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.test.ts'))
  const bad = files.flatMap(name => {
    const text = readFileSync(join(root, name), 'utf8')
    const mayHave = text.includes('toMatchObject') && /[:[,]\s*\/[^/*]/.test(text)
    return mayHave ? barePatterns(text).map(pattern => `${relative(root, join(root, name))}: ${pattern}`) : []
  })
  expect(bad).toEqual([])
})

test('bare regular expressions are found in members and lists, and not in other calls', () => {
  const text = 'expect(/a/.exec(x)).toMatchObject({ m: /b/, n: [/c/], o: expect.stringMatching(/d/), p: { q: /e/ } })'
  expect(barePatterns(text)).toEqual(['/b/', '/c/', '/e/'])
  const pattern = /other/
  expect(() => expect({ m: 'text' }).toMatchObject({ m: pattern })).not.toThrow()
})
