import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { parseDigest } from '../../lib/digest/index.ts'
import { chainId, chainIds } from '../../lib/image/index.ts'

const sha256 = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`
const [a, b, c] = ['a', 'b', 'c'].map(text => parseDigest(sha256(text))) as [never, never, never]

test('the chain id of one layer is its diffId', async () => {
  expect(await chainIds([a])).toEqual([a])
})

test('each further chain id hashes the one below and the diffId, with a space between', async () => {
  const second = sha256(`${a} ${b}`)
  expect(await chainIds([a, b, c])).toEqual([a, second, sha256(`${second} ${c}`)])
})

test('an image without layers has no chain id', async () => {
  expect(await chainId([])).toBeUndefined()
  expect(await chainId([a, b])).toBe(sha256(`${a} ${b}`))
})
