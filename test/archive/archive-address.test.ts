import { expect, test } from 'vitest'
import { parseArchiveAddress } from '../../lib/archive/index.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

test.each([
  ['oci-archive:a.tar', { format: 'oci', path: 'a.tar' }],
  ['oci-archive:/x/a.tar:v1', { format: 'oci', path: '/x/a.tar', image: 'v1' }],
  ['oci-archive:a.tar:app:1.0', { format: 'oci', path: 'a.tar', image: 'app:1.0' }],
  ['docker-archive:a.tar:', { format: 'docker', path: 'a.tar' }],
  [
    'docker-archive:./a b.tar:localhost:5000/app:1',
    { format: 'docker', path: './a b.tar', image: 'localhost:5000/app:1' },
  ],
  ['docker-archive:a.tar:@3', { format: 'docker', path: 'a.tar', image: '@3' }],
  ['docker-archive:C:\\a.tar:x', { format: 'docker', path: 'C:\\a.tar', image: 'x' }],
])('%s is an address', (text, address) => {
  expect(parseArchiveAddress(text)).toEqual(address)
})

test.each(['a.tar', 'oci:dir', 'docker://x', 'xoci-archive:a', ''])('%s is no archive address', text => {
  expect(parseArchiveAddress(text)).toBeUndefined()
})

test.each(['oci-archive:', 'docker-archive::x'])('%s has no file', async text => {
  expect(await thrownBy(() => parseArchiveAddress(text))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
})
