import { expect, test } from 'vitest'
import { COSTLY_DOCKERFILES } from '../../bench/corpora/costly-dockerfiles.mjs'
import { DockerfileError, evaluateDockerfile, lintDockerfile, parseDockerfile } from '../../lib/dockerfile/index.ts'
import { sweep } from '../helpers/sweep.ts'
import { TEXTS } from './texts/index.ts'

const SEEDS = TEXTS.map(([, text]) => Buffer.from(text)).filter(seed => seed.length < 10_000)
const linux = { platform: 'linux/amd64', buildPlatform: 'linux/amd64' }
/**
 * Processor time after which a text counts as a hang. The goal is 100 ms, which `npm run bench -- --only dockerfile`
 * measures; a slow and busy machine needs more, and the faults that this detects grow without a bound.
 */
const HANG_MS = 2000

/** Numbers below 2^32 that are the same in every run. */
function numbersFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b_3c6d) + 0x9e37_79b9) | 0
    return (state ^ (state >>> 13)) >>> 0
  }
}

/** A text with a few bytes flipped, cut out, doubled or taken from another text. */
function mutated(random: () => number): string {
  let bytes = Buffer.from(SEEDS[random() % SEEDS.length]!)
  for (let changes = 1 + (random() % 6); changes > 0; changes--) {
    const at = random() % (bytes.length + 1)
    const kind = random() % 4
    if (kind < 2 && at < bytes.length) bytes[at] = bytes[at]! ^ (1 << (random() % 8))
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + (random() % 9))])
    else {
      const other = SEEDS[random() % SEEDS.length]!
      const from = random() % (other.length + 1)
      bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(from, from + 24), bytes.subarray(at)])
    }
  }
  return bytes.toString()
}

/** Reads, evaluates and checks a text; gives what is thrown that is no typed error. */
function unexpected(text: string): unknown {
  try {
    const document = parseDockerfile(text)
    lintDockerfile(document, linux)
    evaluateDockerfile(document, linux)
    return undefined
  } catch (error) {
    return error instanceof DockerfileError ? undefined : error
  }
}

/** Processor time of one text; the lesser of two more if the first was long, because the collector may have run. */
function millisecondsOf(text: string): number {
  const once = () => {
    const start = process.cpuUsage()
    unexpected(text)
    const { user, system } = process.cpuUsage(start)
    return (user + system) / 1000
  }
  const first = once()
  return first < HANG_MS ? first : Math.min(once(), once())
}

test('texts with flipped bytes end in data or a typed error, and none hangs', { timeout: 600_000 }, () => {
  const random = numbersFrom(20_261_129)
  const bad: { text: string; why: unknown }[] = []
  for (let left = sweep(100_000, 1500); left > 0 && bad.length < 3; left--) {
    const text = mutated(random)
    const why = unexpected(text)
    if (why !== undefined) bad.push({ text, why })
    else if (millisecondsOf(text) >= HANG_MS) bad.push({ text, why: 'too slow' })
  }
  expect(bad).toEqual([])
})

test.each(Object.entries<string>(COSTLY_DOCKERFILES))('%s: data or a typed error without a hang', (_, text) => {
  expect(unexpected(text)).toBeUndefined()
  expect(millisecondsOf(text)).toBeLessThan(HANG_MS)
})

test('a long chain of stages that end in a circle is found without a stack', () => {
  const text = Array.from({ length: 3000 }, (_, i) => `FROM scratch AS s${i}\nCOPY --from=s${(i + 1) % 3000} a b\n`)
  expect(() => evaluateDockerfile(parseDockerfile(text.join('')), linux)).toThrow('in a circle: s0 → s1')
})
