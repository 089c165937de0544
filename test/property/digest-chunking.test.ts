import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { createDigester, digestOf, isDigest, parseDigest, restoreDigester } from '../../lib/digest/index.ts'
import fc, { cases } from '../helpers/fast-check.ts'

const algorithm = fc.constantFrom('sha256', 'sha512', 'blake3')
const chunks = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 })

test('however bytes are cut into chunks, the digest is the same', async () => {
  await fc.assert(
    fc.asyncProperty(chunks, algorithm, async (parts, algorithm) => {
      expect(await digestOf(parts, { algorithm })).toBe(await digestOf(Buffer.concat(parts), { algorithm }))
    }),
  )
})

test('both engines and the platform agree', async () => {
  await fc.assert(
    fc.asyncProperty(chunks, fc.constantFrom('sha256', 'sha512'), async (parts, algorithm) => {
      const hex = createHash(algorithm).update(Buffer.concat(parts)).digest('hex')
      expect(await digestOf(parts, { algorithm })).toBe(`${algorithm}:${hex}`)
      expect(await digestOf(parts, { algorithm, hasher: 'native' })).toBe(`${algorithm}:${hex}`)
    }),
  )
})

test('saving and restoring after every chunk, as JSON, changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(chunks, algorithm, async (parts, algorithm) => {
      let digester = await createDigester({ algorithm })
      for (const part of parts) {
        digester.update(part)
        const text = JSON.stringify(digester.save())
        digester.release()
        digester = await restoreDigester(JSON.parse(text))
      }
      expect(digester.digest()).toBe(await digestOf(Buffer.concat(parts), { algorithm }))
    }),
  )
})

test('a checkpoint with any one bit flipped in any member is refused', async () => {
  const digester = await createDigester()
  digester.update(Buffer.from('some bytes'))
  const text = JSON.stringify(digester.save())
  digester.release()
  await fc.assert(
    fc.asyncProperty(fc.nat(text.length - 1), fc.nat(6), async (at, bit) => {
      const flipped = Buffer.from(text)
      flipped[at] = flipped[at]! ^ (1 << bit)
      let checkpoint: unknown
      try {
        checkpoint = JSON.parse(flipped.toString())
      } catch {
        return
      }
      await expect(restoreDigester(checkpoint as never)).rejects.toMatchObject({ code: 'ERR_INVALID_CHECKPOINT' })
    }),
    { numRuns: cases(500) },
  )
})

test('parseDigest accepts exactly what isDigest accepts, and nothing makes isDigest throw', () => {
  const text = fc.oneof(
    fc.string(),
    fc.stringMatching(/^(sha256|sha512|blake3|md5):[0-9a-fA-F]{0,130}$/),
    fc.stringMatching(/^sha256:[0-9a-f]{64}$/),
  )
  fc.assert(
    fc.property(text, text => {
      if (isDigest(text)) expect(parseDigest(text)).toBe(text)
      else expect(() => parseDigest(text)).toThrow()
    }),
  )
  fc.assert(fc.property(fc.anything(), value => typeof isDigest(value) === 'boolean'))
})
