import { describe, test } from 'vitest'
import { createMemoryStore } from '../../lib/store/index.ts'
import { blobStoreConformance } from '../../lib/testing/index.ts'
import { storeSubjects } from '../helpers/store-subjects.ts'
import { testConformance } from '../helpers/test-conformance.ts'

for (const [name, subject] of Object.entries(storeSubjects())) {
  describe(name, () => testConformance(blobStoreConformance(subject)))
}

test('only existing cases can be switched off', ({ expect }) => {
  const subject = { create: async () => createMemoryStore(), without: { 'no such case': 'why not' } }
  expect(() => blobStoreConformance(subject)).toThrow('no such case')
})
