import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  type BaseRequest,
  DockerfileError,
  evaluateDockerfile,
  lintDockerfile,
  parseDockerfile,
} from '../../lib/dockerfile/index.ts'
import { type AppliedConfig, applySteps } from '../helpers/apply-steps.ts'
import { BASE, BASE_IMAGE } from './texts/based.ts'
import { DIFFERENCES } from './texts/differences.ts'
import { TEXTS } from './texts/index.ts'
import { shortened } from './texts/shortened.ts'
import type { TextCase } from './texts/text-case.ts'

/**
 * What a Docker Engine made of the texts (`record-oracle.mjs`): Docker 28.5.2 with BuildKit 0.25. `buildError` stands
 * for a failure while steps ran, such as a missing file, which no evaluation can know.
 */
interface Oracle {
  readonly error?: { readonly message: string; readonly line?: number }
  readonly warnings?: readonly string[]
  readonly buildError?: string
  readonly author?: string
  readonly config?: AppliedConfig
  readonly history?: readonly string[]
}

const read = (name: string) => readFileSync(join(import.meta.dirname, name), 'utf8')
const oracle: Record<string, Oracle> = Object.fromEntries(
  read('oracle.jsonl')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line)),
)
const places: Record<string, string> = JSON.parse(read('places.json'))

interface Outcome {
  readonly error?: DockerfileError
  readonly failsBuild: boolean
  readonly warnings: readonly string[]
  readonly author?: string
  readonly config?: AppliedConfig
  readonly history?: readonly string[]
}

function outcomeOf([, text, options = {}]: TextCase): Outcome {
  const bases = ({ reference }: BaseRequest) => (reference === BASE ? BASE_IMAGE : undefined)
  const given = { platform: 'linux/amd64', buildPlatform: 'linux/amd64', bases, ...options }
  try {
    const document = parseDockerfile(text)
    const { findings, error, failsBuild } = lintDockerfile(document, given)
    const warnings = findings
      .filter(({ rule }) => !rule.includes('/'))
      .map(({ rule, position }) => `${rule}:${position.line}`)
      .sort()
    if (error) return { error, failsBuild, warnings }
    return { failsBuild, warnings, ...applySteps(evaluateDockerfile(document, given), BASE_IMAGE) }
  } catch (error) {
    if (error instanceof DockerfileError) return { error, failsBuild: false, warnings: [] }
    throw error
  }
}

test('at least 400 texts are recorded, each once', () => {
  expect(TEXTS.length).toBeGreaterThanOrEqual(400)
  expect(Object.keys(oracle).sort()).toEqual(TEXTS.map(([title]) => title).sort())
})

test('documents and evaluations are plain JSON data', () => {
  for (const [, text, options = {}] of TEXTS.filter(([title]) => !(title in places))) {
    const document = parseDockerfile(text)
    const evaluation = evaluateDockerfile(document, options)
    expect(JSON.parse(JSON.stringify(document))).toStrictEqual(document)
    expect(JSON.parse(JSON.stringify(evaluation))).toStrictEqual(evaluation)
    expect(evaluateDockerfile(JSON.parse(JSON.stringify(document)), options)).toStrictEqual(evaluation)
  }
})

test('places lie within the text, in the order of the file', () => {
  for (const [, text] of TEXTS.filter(([title]) => !(title in places))) {
    const lines = text.split('\n')
    let last = 0
    for (const { words, flags, position, keyword } of parseDockerfile(text).instructions) {
      expect(position.line).toBeGreaterThan(last)
      last = position.endLine
      const start = lines[position.line - 1]!.slice(position.column - 1)
      expect(start.startsWith(keyword) || keyword.startsWith(start.replace(/\\$/, ''))).toBe(true)
      for (const word of [...words, ...flags].map(part => part.position)) {
        expect(word.line).toBeGreaterThanOrEqual(position.line)
        expect(word.endLine).toBeLessThanOrEqual(position.endLine)
        expect(lines[word.line - 1]![word.column - 1]).toMatch(/[^ \t]/)
      }
    }
  }
})

test.each(TEXTS.map(text => [text[0], text] as const))('%s', (title, text) => {
  const expected = { ...oracle[title]!, ...DIFFERENCES[title]?.expected }
  const { error, failsBuild, warnings, author, config, history } = outcomeOf(text)
  // Where the fault is, to the column: BuildKit has only lines.
  expect(error && `${error.code} ${error.line}:${error.column}`).toBe(places[title])
  const lintFails = expected.error?.message.startsWith('lint violation') ?? false
  expect(failsBuild).toBe(lintFails)
  if (expected.error && !lintFails) {
    expect(error, `BuildKit: ${expected.error.message}`).toBeDefined()
    if (expected.error.line !== undefined) expect(error!.line).toBe(expected.error.line)
    return
  }
  expect(error?.message).toBeUndefined()
  expect(warnings).toEqual(expected.warnings ?? [])
  if (expected.history) expect(shortened({ author, config, history })).toEqual(pick(expected))
})

function pick({ author, config, history = [] }: Oracle) {
  return { author, config, history: history.map(withNames) }
}

/** BuildKit after 0.25 prints HEALTHCHECK with names: `{Test:[…] Interval:…}`, before that `&{[…] "…" … '\x00'}`. */
function withNames(text: string): string {
  const old = /^HEALTHCHECK &\{\[(.*)\] "(.*)" "(.*)" "(.*)" "(.*)" '\\x(..)'\}$/.exec(text)
  if (!old) return text
  const [, words, interval, timeout, startPeriod, startInterval, retries] = old
  const times = `Interval:${interval} Timeout:${timeout} StartPeriod:${startPeriod} StartInterval:${startInterval}`
  return `HEALTHCHECK {Test:[${words!.replaceAll('"', '')}] ${times} Retries:${Number.parseInt(retries!, 16)}}`
}
