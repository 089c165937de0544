import { expect, test } from 'vitest'
import { LayerStoreError } from '../../lib/errors/index.ts'
import { familiarName, formatReference, isRepositoryPath, isTag, parseReference } from '../../lib/oci/index.ts'
import fc, { cases } from '../helpers/fast-check.ts'

const component = fc.oneof(
  fc.stringMatching(/^[a-z0-9]{1,8}((\.|_|__|-{1,3})[a-z0-9]{1,8}){0,2}$/),
  fc.constantFrom('library', 'localhost', 'docker.io', 'example.com', 'a'.repeat(64)),
)
const path = fc.array(component, { minLength: 1, maxLength: 4 }).map(parts => parts.join('/'))
const host = fc.oneof(
  fc.stringMatching(/^[a-z0-9]{1,6}(\.[a-z0-9]{1,6}){1,2}(:[0-9]{1,5})?$/),
  fc.stringMatching(/^\[[0-9a-f:]{2,10}\](:[0-9]{1,5})?$/),
  fc.constantFrom('localhost', 'docker.io', 'index.docker.io', 'Upper', 'localhost:5000'),
)
const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/)
const digest = fc.stringMatching(/^[0-9a-f]{64}$/).map(hex => `sha256:${hex}`)
const optional = (before: string, value: fc.Arbitrary<string>) =>
  fc.option(value, { nil: undefined }).map(v => (v === undefined ? '' : before + v))
const reference = fc
  .tuple(
    fc.option(host, { nil: undefined }).map(h => (h === undefined ? '' : `${h}/`)),
    path,
    optional(':', tag),
    optional('@', digest),
  )
  .map(parts => parts.join(''))

function parsed(text: string) {
  try {
    return parseReference(text)
  } catch (error) {
    if (!LayerStoreError.is(error)) throw error
    return undefined
  }
}

test('the full form and the short form of a reference name the same image', () => {
  let seen = 0
  fc.assert(
    fc.property(reference, text => {
      const value = parsed(text)
      if (!value) return
      seen++
      expect(parseReference(formatReference(value))).toEqual(value)
      expect(parseReference(familiarName(value))).toEqual(value)
    }),
    { numRuns: cases(2000) },
  )
  expect(seen).toBeGreaterThan(cases(1500))
})

test('each part of an accepted reference is valid by itself', () => {
  fc.assert(
    fc.property(fc.oneof(reference, fc.string()), text => {
      const value = parsed(text)
      if (!value) return
      expect(isRepositoryPath(value.repository)).toBe(true)
      if (value.tag !== undefined) expect(isTag(value.tag)).toBe(true)
      expect(value.registry).toMatch(/^[A-Za-z0-9.:[\]-]+$/)
      expect(value.tag ?? value.digest).toBeDefined()
    }),
  )
})

test('no text makes the parser throw anything but its own error', () => {
  const nasty = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[a-z:@/.[\]_-]{0,40}$/))
  fc.assert(
    fc.property(nasty, text => void parsed(text)),
    { numRuns: cases(2000) },
  )
})
