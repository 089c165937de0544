import { expect, test } from 'vitest'
import { detectCompression } from '../../lib/compression/index.ts'

test.each([
  ['1f8b08000000', 'gzip'],
  ['1f8b08', 'gzip'],
  ['28b52ffd', 'zstd'],
  ['502a4d1800', 'zstd'],
  ['5f2a4d1800', 'zstd'],
  ['425a6839', 'bzip2'],
  ['fd377a585a00', 'xz'],
  ['fd377a585a', 'none'],
  ['1f8b', 'none'],
  ['1f8b07', 'none'],
  ['602a4d18', 'none'],
  ['502a4d', 'none'],
  ['425a6830', 'none'],
  ['425a68', 'none'],
  ['', 'none'],
])('bytes %s look like %s', (hex, type) => {
  expect(detectCompression(Buffer.from(hex, 'hex'))).toBe(type)
})
