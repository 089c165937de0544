import { expect, test } from 'vitest'
import { LayerStoreError } from '../../lib/errors/index.ts'
import { parseConfig, parseDescriptor, parseImageDocument, parseIndex, parseManifest } from '../../lib/oci/index.ts'
import fc from '../helpers/fast-check.ts'
import { jsonBytes, sampleConfig, sampleIndex, sampleManifest } from '../helpers/sample-documents.ts'

const parsers = [parseImageDocument, parseManifest, parseIndex, parseConfig]

function expectTyped(act: () => unknown): void {
  try {
    act()
  } catch (error) {
    if (!LayerStoreError.is(error)) throw error
  }
}

test('no bytes make a parser throw anything but its own error', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), fc.json().map(Buffer.from)), bytes => {
      for (const parse of parsers) expectTyped(() => parse(bytes))
    }),
  )
})

test('no value in the place of any member makes a parser throw anything but its own error', () => {
  const documents = [sampleManifest(), sampleIndex(), sampleConfig()]
  const key = fc.constantFrom(...new Set(documents.flatMap(d => Object.keys(d))), '__proto__', 'subject', 'annotations')
  fc.assert(
    fc.property(key, fc.jsonValue(), (key, value) => {
      for (const document of documents) {
        const bytes = jsonBytes(Object.fromEntries([...Object.entries(document), [key, value]]))
        for (const parse of parsers) expectTyped(() => parse(bytes))
      }
      expect(Object.hasOwn(Object.prototype, 'layers')).toBe(false)
    }),
  )
})

test('no value makes parseDescriptor throw anything but its own error', () => {
  fc.assert(fc.property(fc.jsonValue(), value => expectTyped(() => parseDescriptor(value))))
})

test('parsers keep unknown members', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^x-[a-z]{1,5}$/), fc.jsonValue({ maxDepth: 5 })), unknown => {
      const manifest = JSON.parse(JSON.stringify(sampleManifest(unknown)))
      expect(parseManifest(jsonBytes(manifest))).toEqual(manifest)
    }),
  )
})
