import { expect, test } from 'vitest'
import { withoutCredentials, withoutSecrets } from '../../lib/internal/without-credentials.ts'

test.each([
  ['ADD https://me:secret@host/x.git /', 'ADD https://xxxxx:xxxxx@host/x.git /'],
  ['https://token@host/x, http://a:b@c', 'https://xxxxx:xxxxx@host/x, http://xxxxx:xxxxx@c'],
  ['https://me:p@ss@host/x', 'https://xxxxx:xxxxx@host/x'],
  ['https://host/a@b', 'https://host/a@b'],
  ['git@host:team/app', 'git@host:team/app'],
  ['a//b@c', 'a//b@c'],
])('%s is shown as %s', (text, shown) => {
  expect(withoutCredentials(text)).toBe(shown)
})

test.each([
  ['url = http://me:p@ss@host/x', 'url = http://host/x'],
  ['https://token@host, ssh://git:p@host', 'https://host, ssh://host'],
  ['ssh://git@host/x', 'ssh://git@host/x'],
  ['http://host:80/a@b', 'http://host:80/a@b'],
])('%s is kept as %s', (text, kept) => {
  expect(withoutSecrets(text, '')).toBe(kept)
})
