import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'

const room = resolve(import.meta.dirname, '../../lib/errors')

/** Every string literal `ERR_…` in the source of the room. */
function codesInSource(): string[] {
  const codes = new Set<string>()
  for (const file of readdirSync(room).filter(f => f.endsWith('.ts'))) {
    const source = ts.createSourceFile(file, readFileSync(join(room, file), 'utf8'), ts.ScriptTarget.Latest)
    const visit = (node: ts.Node): void => {
      if (ts.isStringLiteral(node) && /^ERR_\w+$/.test(node.text)) codes.add(node.text)
      ts.forEachChild(node, visit)
    }
    visit(source)
  }
  return [...codes].sort()
}

const rows = [...readFileSync(join(room, 'README.md'), 'utf8').matchAll(/^\| `(ERR_\w+)` +\|(.*)\|(.*)\|$/gm)]

test('the documented codes are exactly the codes that exist', () => {
  expect(codesInSource().length).toBeGreaterThan(30)
  expect(rows.map(row => row[1]).sort()).toEqual(codesInSource())
})

test('every code is documented with what happened and what to do', () => {
  for (const [, code, meaning, advice] of rows) {
    expect([code, meaning!.trim().length > 15, advice!.trim().length > 4]).toEqual([code, true, true])
  }
})

test('the union of all codes names every code of every class', () => {
  const union = readFileSync(join(room, 'codes.ts'), 'utf8')
  const families = [
    'format.ts',
    'store.ts',
    'registry.ts',
    'bucket.ts',
    'rootfs.ts',
    'source.ts',
    'dockerfile.ts',
    'build.ts',
    'sandbox.ts',
    'trust.ts',
  ]
    .map(f => readFileSync(join(room, f), 'utf8'))
    .join('')
  const inFamily = (code: string) => new RegExp(`[|=] '${code}'`).test(families)
  for (const code of codesInSource())
    expect([code, union.includes(`'${code}'`) || inFamily(code)]).toEqual([code, true])
  const kinds = ['Format', 'Store', 'Registry', 'Bucket', 'Rootfs', 'Source', 'Dockerfile', 'Build', 'Sandbox', 'Trust']
  for (const kind of kinds) expect(union).toContain(`| ${kind}ErrorCode`)
})
