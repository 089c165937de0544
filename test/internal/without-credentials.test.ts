import { expect, test } from 'vitest'
import { withoutCredentials } from '../../lib/internal/without-credentials.ts'

test.each([
  ['ADD https://me:secret@host/x.git /', 'ADD https://xxxxx:xxxxx@host/x.git /'],
  ['https://token@host/x, http://a:b@c', 'https://xxxxx:xxxxx@host/x, http://xxxxx:xxxxx@c'],
  ['https://host/a@b', 'https://host/a@b'],
  ['git@host:team/app', 'git@host:team/app'],
  ['a//b@c', 'a//b@c'],
])('%s is shown as %s', (text, shown) => {
  expect(withoutCredentials(text)).toBe(shown)
})
