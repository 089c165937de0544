import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import {
  createDigester,
  type DigestCheckpoint,
  digestOf,
  type HasherEngine,
  restoreDigester,
} from '../../lib/digest/index.ts'
import { thrownBy } from '../helpers/thrown-by.ts'
import { transpileLibrary } from '../helpers/transpile-library.ts'

const hex = (text: string) => createHash('sha256').update(text).digest('hex')

async function checkpointOf(text: string): Promise<DigestCheckpoint> {
  const digester = await createDigester()
  digester.update(Buffer.from(text))
  const checkpoint = digester.save()
  digester.release()
  return checkpoint
}

/** A checkpoint with other members, whose checksum is right. */
function forged(checkpoint: DigestCheckpoint, members: Partial<Record<keyof DigestCheckpoint, unknown>>) {
  const { version, algorithm, bytes, state } = { ...checkpoint, ...members }
  const text = JSON.stringify([version, algorithm, bytes, state])
  return { version, algorithm, bytes, state, checksum: hex(text).slice(0, 16) } as DigestCheckpoint
}

test('two digesters at work at the same time do not disturb each other', async () => {
  const texts = Array.from({ length: 20 }, (_, i) => `text number ${i} `.repeat(50))
  const digesters = await Promise.all(texts.map(() => createDigester()))
  for (let at = 0; at < 1000; at += 100) {
    digesters.forEach((d, i) => void d.update(Buffer.from(texts[i]!.slice(at, at + 100))))
  }
  digesters.forEach((d, i) => void expect(d.digest()).toBe(`sha256:${hex(texts[i]!.slice(0, 1000))}`))
})

test('a released digester leaves nothing behind for the next one', async () => {
  const first = await createDigester()
  first.update(Buffer.from('left over'))
  first.release()
  const second = await createDigester()
  second.update(Buffer.from('abc'))
  expect(second.digest()).toBe(`sha256:${hex('abc')}`)
})

test('a digester released twice does not put one hasher into the hands of two', async () => {
  const first = await createDigester()
  first.digest()
  first.release()
  first.release()
  const [a, b] = [await createDigester(), await createDigester()]
  a.update(Buffer.from('a'))
  b.update(Buffer.from('b'))
  expect([a.digest(), b.digest()]).toEqual([`sha256:${hex('a')}`, `sha256:${hex('b')}`])
})

test.each(['wasm', 'native'] as HasherEngine[])('after the end every use of a %s digester throws', async hasher => {
  for (const end of ['digest', 'release'] as const) {
    const digester = await createDigester({ hasher })
    digester[end]()
    for (const use of [() => digester.update(Buffer.from('x')), () => digester.digest(), () => digester.save()]) {
      expect(await thrownBy(use)).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    }
    digester.release()
  }
})

test('the buffer given to update may be reused at once', async () => {
  const digester = await createDigester()
  const buffer = Buffer.from('abc')
  digester.update(buffer)
  buffer.fill(0)
  expect(digester.digest()).toBe(`sha256:${hex('abc')}`)
})

test('it counts the bytes it has hashed, those before a checkpoint included', async () => {
  const restored = await restoreDigester(await checkpointOf('12345'))
  expect(restored.bytesHashed).toBe(5)
  restored.update(Buffer.from('678'))
  expect(restored.bytesHashed).toBe(8)
  restored.release()
})

test('saving does not end the computation', async () => {
  const digester = await createDigester()
  digester.update(Buffer.from('ab'))
  digester.save()
  digester.update(Buffer.from('c'))
  expect(digester.digest()).toBe(`sha256:${hex('abc')}`)
})

test('the native engine says that it cannot save', async () => {
  const digester = await createDigester({ hasher: 'native' })
  expect(await thrownBy(() => digester.save())).toMatchObject({ code: 'ERR_CHECKPOINT_UNSUPPORTED' })
  digester.release()
})

test('a checkpoint is plain JSON of a few hundred bytes', async () => {
  const checkpoint = await checkpointOf('x'.repeat(100_000))
  expect(JSON.parse(JSON.stringify(checkpoint))).toEqual(checkpoint)
  expect(JSON.stringify(checkpoint).length).toBeLessThan(400)
})

test('a checkpoint saved here is finished by another process', async () => {
  const library = transpileLibrary()
  const door = pathToFileURL(join(library, 'digest/index.js')).href
  const script = `import { restoreDigester } from ${JSON.stringify(door)}
    const digester = await restoreDigester(JSON.parse(process.argv[1]))
    digester.update(Buffer.from(' and the rest'))
    process.stdout.write(digester.digest())`
  const checkpoint = JSON.stringify(await checkpointOf('the beginning'))
  const result = execFileSync(process.execPath, ['--input-type=module', '-e', script, checkpoint])
  expect(result.toString()).toBe(await digestOf(Buffer.from('the beginning and the rest')))
})

test.each([
  ['another version', { version: 2 }],
  ['an unknown algorithm', { algorithm: 'md5' }],
  ['an algorithm that every object has', { algorithm: 'constructor' }],
  ['a negative count', { bytes: -1 }],
  ['a fractional count', { bytes: 1.5 }],
  ['a count that is a string', { bytes: '5' }],
  ['a state that is not a string', { state: 5 }],
  ['a state that is too short', { state: 'AAAA' }],
  ['no state', { state: '' }],
  ['the state of another algorithm', { algorithm: 'sha512' }],
  ['a state that is not of the hasher', { state: Buffer.alloc(116).toString('base64') }],
])('a checkpoint with %s is refused even if its checksum is right', async (_, members) => {
  const checkpoint = forged(await checkpointOf('hello'), members)
  expect(await thrownBy(() => restoreDigester(checkpoint))).toMatchObject({ code: 'ERR_INVALID_CHECKPOINT' })
})

test('forging itself is not what makes these checkpoints fail', async () => {
  const restored = await restoreDigester(forged(await checkpointOf('hello'), {}))
  expect(restored.digest()).toBe(`sha256:${hex('hello')}`)
})

test.each([undefined, null, 5, 'text', {}, []])('%j is refused as a checkpoint', async value => {
  expect(await thrownBy(() => restoreDigester(value as never))).toMatchObject({ code: 'ERR_INVALID_CHECKPOINT' })
})

test('a hasher that refused a checkpoint is not used again', async () => {
  await thrownBy(async () => restoreDigester(forged(await checkpointOf('hello'), { state: 'AAAA' })))
  const digester = await createDigester()
  digester.update(Buffer.from('abc'))
  expect(digester.digest()).toBe(`sha256:${hex('abc')}`)
})

test('more digesters at once than the pool keeps are all right', async () => {
  const digesters = await Promise.all(Array.from({ length: 40 }, () => createDigester({ algorithm: 'blake3' })))
  const results = digesters.map(digester => digester.digest())
  expect(new Set(results)).toEqual(new Set(['blake3:af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262']))
})
