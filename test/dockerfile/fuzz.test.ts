// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of Dockerfiles
import { expect, test } from 'vitest'
import { DockerfileError, evaluateDockerfile, lintDockerfile, parseDockerfile } from '../../lib/dockerfile/index.ts'
import { sweep } from '../helpers/sweep.ts'
import { TEXTS } from './texts/index.ts'

const SEEDS = TEXTS.map(([, text]) => Buffer.from(text)).filter(seed => seed.length < 10_000)
const linux = { platform: 'linux/amd64', buildPlatform: 'linux/amd64' }
const LONGEST_MS = 100

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

/** Processor time of one text; the least of three if the first was long, because the collector may have run. */
function millisecondsOf(text: string): number {
  const once = () => {
    const start = process.cpuUsage()
    unexpected(text)
    const { user, system } = process.cpuUsage(start)
    return (user + system) / 1000
  }
  const first = once()
  return first < LONGEST_MS ? first : Math.min(once(), once(), once())
}

test('texts with flipped bytes end in data or a typed error, each within 100 ms', { timeout: 600_000 }, () => {
  const random = numbersFrom(20_261_129)
  const bad: { text: string; why: unknown }[] = []
  for (let left = sweep(100_000, 1500); left > 0 && bad.length < 3; left--) {
    const text = mutated(random)
    const why = unexpected(text)
    if (why !== undefined) bad.push({ text, why })
    else if (millisecondsOf(text) >= LONGEST_MS) bad.push({ text, why: 'too slow' })
  }
  expect(bad).toEqual([])
})

/** Texts that cost much for their length. */
const COSTLY: readonly (readonly [string, string])[] = [
  ['a value that doubles', `FROM scratch\nENV A=${'x'.repeat(100)}\n${'ENV A=$A$A\n'.repeat(60)}`],
  ['nested substitutions', `FROM scratch\nENV A=${'${B:-'.repeat(5000)}${'}'.repeat(5000)}\n`],
  ['a pattern of stars', `FROM scratch\nARG A=${'a'.repeat(20_000)}\nENV B=\${A%%${'*a'.repeat(5000)}*b}\n`],
  ['replacements of every character', `FROM scratch\nARG A=${'a'.repeat(20_000)}\nENV B=\${A//?/bb}\n`],
  ['here-documents in one line', `FROM scratch\nRUN ${'<<A '.repeat(3000)}\n${'A\n'.repeat(3000)}`],
  ['nested triggers', `FROM scratch\n${'ONBUILD '.repeat(5000)}RUN x\n`],
  ['nested arrays', `FROM scratch\nCMD ${'['.repeat(20_000)}\n`],
  ['many stages that name each other', stagesInARow(1000)],
  ['a range of all ports', 'FROM scratch\nEXPOSE 0-65535\n'],
  ['many flags', `FROM scratch\nCOPY ${'--exclude=a '.repeat(5000)}a b\n`],
  ['escapes and blanks', `FROM scratch\nENV A=${'\\ '.repeat(15_000)}b\n`],
  [
    'commands of many installs',
    `FROM scratch\nCOPY . .\nRUN ${'apt '.repeat(15_000)}\nRUN ${'pip install '.repeat(5000)}\n`,
  ],
  [
    'commands of many removals',
    `FROM scratch\nRUN apt install x ${'rm -r '.repeat(10_000)}\nRUN ${'mvn '.repeat(15_000)}\n`,
  ],
  ['quotes', `FROM scratch\nENV A=${`"'"`.repeat(10_000)}\n`],
]

function stagesInARow(count: number): string {
  return Array.from({ length: count }, (_, i) => `FROM ${i === 0 ? 'scratch' : `s${i - 1}`} AS s${i}\n`).join('')
}

test.each(COSTLY)('%s: data or a typed error within 100 ms', (_, text) => {
  expect(unexpected(text)).toBeUndefined()
  expect(millisecondsOf(text)).toBeLessThan(LONGEST_MS)
})

test('a long chain of stages that end in a circle is found without a stack', () => {
  const text = Array.from({ length: 3000 }, (_, i) => `FROM scratch AS s${i}\nCOPY --from=s${(i + 1) % 3000} a b\n`)
  expect(() => evaluateDockerfile(parseDockerfile(text.join('')), linux)).toThrow('in a circle: s0 → s1')
})
