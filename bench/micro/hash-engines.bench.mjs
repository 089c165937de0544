import { createRandom } from '../corpora/random.mjs'

const BYTES = 2 ** 24

export const bench = {
  name: 'micro-hash-engines',
  question: 'How fast is each hash on chunks of each size, alone and with two alternating streams?',
  async cases({ library, smoke }) {
    const { createDigester, digestOf } = await import(`${library}/index.js`)
    const bytes = smoke ? 2 ** 20 : BYTES
    const data = randomBytes(bytes)
    const engines = [
      ['sha256', 'wasm'],
      ['sha256', 'native'],
      ['sha512', 'wasm'],
      ['sha512', 'native'],
      ['blake3', 'wasm'],
    ]
    const streaming = (algorithm, hasher, size, streams) => async () => {
      const open = Array.from({ length: streams }, () => createDigester({ algorithm, hasher }))
      const digesters = await Promise.all(open)
      for (let at = 0; at < bytes; at += size) digesters[(at / size) % streams].update(data.subarray(at, at + size))
      return digesters.map(digester => digester.digest())
    }
    const sizes = [2 ** 12, 2 ** 16, 2 ** 20]
    const small = randomBytes(1024)
    return [
      ...sizes.map(size => ({
        name: `chunks of ${size / 1024} KiB`,
        bytes,
        tasks: engines.map(([algorithm, hasher]) => ({
          label: `${algorithm}, ${hasher}`,
          run: streaming(algorithm, hasher, size, 1),
        })),
      })),
      {
        name: 'two alternating streams, 64 KiB',
        bytes,
        tasks: engines.slice(0, 2).map(([algorithm, hasher]) => ({
          label: `${algorithm}, ${hasher}`,
          run: streaming(algorithm, hasher, 2 ** 16, 2),
        })),
      },
      {
        name: 'one buffer of 1 KiB',
        bytes: 1024,
        tasks: ['wasm', 'native'].map(hasher => ({
          label: `sha256, ${hasher}`,
          run: () => digestOf(small, { hasher }),
        })),
      },
    ]
  },
}

function randomBytes(size) {
  const random = createRandom('hash-engines')
  return Buffer.from(Uint32Array.from({ length: size / 4 }, random.next).buffer)
}
