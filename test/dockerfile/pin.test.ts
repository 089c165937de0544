// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of Dockerfiles
import { expect, test } from 'vitest'
import type { Digest } from '../../lib/digest/index.ts'
import { pinDockerfile } from '../../lib/dockerfile/index.ts'

const one = `sha256:${'1'.repeat(64)}` as Digest
const two = `sha256:${'2'.repeat(64)}` as Digest

async function pin(text: string, update = false) {
  const asked: string[] = []
  const result = await pinDockerfile(
    text,
    async reference => {
      asked.push(reference)
      return one
    },
    { update },
  )
  return { ...result, asked, outcomes: result.images.map(({ reference, outcome }) => `${reference} ${outcome}`) }
}

test('images of FROM, COPY and mounts get the digest of their tags, and nothing else changes', async () => {
  const text = [
    '\ufeff# syntax=docker/dockerfile:1',
    '#  node:22 in a comment',
    'FROM  --platform=$BUILDPLATFORM \\',
    '   # within',
    '\tnode:22   AS build  ',
    'COPY --chown=1:1 --from=ghcr.io/o/tools:2 /a /b',
    'RUN --mount=type=cache,target=/c --mount=from=busybox,type=bind,target=/d echo node:22',
    'COPY <<EOF /x',
    'FROM node:22',
    'EOF',
    'from "localhost:5000/a"',
    'COPY --from=build /a /b',
    'COPY --from=0 /a /b',
    'RUN --mount=type=bind,from=BUILD,target=/d true',
    'FROM scratch',
    'FROM build AS last',
    '',
  ].join('\r\n')
  const pinned = await pin(text)
  expect(pinned.outcomes).toEqual([
    'node:22 pinned',
    'ghcr.io/o/tools:2 pinned',
    'busybox pinned',
    'localhost:5000/a pinned',
  ])
  expect(pinned.text).toBe(
    text
      .replace('\tnode:22   AS', `\tnode:22@${one}   AS`)
      .replace('tools:2 ', `tools:2@${one} `)
      .replace('from=busybox', `from=busybox:latest@${one}`)
      .replace('5000/a"', `5000/a:latest@${one}"`),
  )
  expect(pinned.images.map(({ position }) => [position.line, position.column])).toEqual([
    [5, 2],
    [6, 18],
    [7, 34],
    [11, 6],
  ])
  const again = await pin(pinned.text)
  expect(again.text).toBe(pinned.text)
  expect(again.outcomes.every(each => each.endsWith(' kept'))).toBe(true)
})

test('an image with the name of its own stage is no stage, and each reference is asked for once', async () => {
  const pinned = await pin('FROM nginx AS nginx\nFROM nginx\nFROM nginx:1 AS a\nFROM nginx:1\n')
  expect(pinned.text).toBe(
    `FROM nginx:latest@${one} AS nginx\nFROM nginx\nFROM nginx:1@${one} AS a\nFROM nginx:1@${one}\n`,
  )
  expect(pinned.asked).toEqual(['nginx', 'nginx:1'])
})

test('the default of an ARG is pinned if the file uses it only as the name of bases', async () => {
  const pinned = await pin("ARG A='node:22' B=busybox:1\nFROM $A\nFROM ${A}\nFROM ${B}\n")
  expect(pinned.text).toBe(`ARG A='node:22@${one}' B=busybox:1@${one}\nFROM $A\nFROM \${A}\nFROM \${B}\n`)
  const shared = 'ARG A=node:22\nFROM $A\nFROM ${A}-slim\n'
  expect(await pin(shared)).toMatchObject({ text: shared, outcomes: ['$A unpinned', '${A}-slim unpinned'] })
  const twice = 'ARG A=node:22\nFROM $A\nARG A=x\n'
  expect(await pin(twice)).toMatchObject({ text: twice, outcomes: ['$A unpinned'] })
})

test('names that no place in the text holds as a whole are reported with the reason', async () => {
  const text = [
    'ARG V=22',
    'FROM node:${V}',
    'FROM $NONE',
    'FROM no\\',
    'de:22',
    'COPY --from="node:22" a b',
    'RUN --mount=type=bind,"from=x:1",target=/d true',
    'ONBUILD COPY --from=node:1 a b',
    'COPY --from=a/UPPER a b',
    '',
  ].join('\n')
  const pinned = await pin(text)
  expect(pinned.text).toBe(text)
  expect(pinned.asked).toEqual([])
  expect(pinned.images.map(({ reference, outcome, reason }) => [reference, outcome, reason])).toEqual([
    ['node:${V}', 'unpinned', 'a part of it is a variable'],
    ['$NONE', 'unpinned', 'ARG NONE has no default before the first FROM'],
    ['node:22', 'unpinned', 'it is written over several lines, or with quotes or escapes'],
    ['node:22', 'unpinned', 'it is written over several lines, or with quotes or escapes'],
    ['x:1', 'unpinned', 'it is written over several lines, or with quotes or escapes'],
    ['node:1', 'unpinned', 'ONBUILD stores it'],
    ['a/UPPER', 'unpinned', 'it is not an image reference'],
  ])
})

test('a digest is kept, told to be old, or replaced if the caller asks for it', async () => {
  const text = `FROM node:22@${two} AS a\nFROM busybox@${two}\nFROM node:22@${one}\n`
  const kept = await pin(text)
  expect(kept).toMatchObject({ text, asked: ['node:22'] })
  expect(kept.images.map(({ outcome }) => outcome)).toEqual(['moved', 'kept', 'kept'])
  const updated = await pin(text, true)
  expect(updated.text).toBe(text.replace(`22@${two}`, `22@${one}`))
  expect(updated.images.map(({ outcome }) => outcome)).toEqual(['updated', 'kept', 'kept'])
})
