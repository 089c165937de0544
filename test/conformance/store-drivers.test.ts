import { describe, test } from 'vitest'
import { createMemoryStore } from '../../lib/store/index.ts'
import { blobStoreConformance } from '../../lib/testing/index.ts'
import { needs } from '../helpers/needs.ts'
import { storeSubjects } from '../helpers/store-subjects.ts'

for (const [name, subject] of Object.entries(storeSubjects())) {
  describe(name, () => {
    for (const one of blobStoreConformance(subject)) {
      test(one.skip ? `${one.name} (skipped: ${one.skip})` : one.name, context => {
        if (!needs(!one.skip, `${one.skip}`)) return context.skip(one.skip)
        return one.run()
      })
    }
  })
}

test('only existing cases can be switched off', ({ expect }) => {
  const subject = { create: async () => createMemoryStore(), without: { 'no such case': 'why not' } }
  expect(() => blobStoreConformance(subject)).toThrow('no such case')
})
