// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of Dockerfiles
import { expect, test } from 'vitest'
import {
  DockerfileError,
  type EvaluateDockerfileOptions,
  evaluateDockerfile,
  parseDockerfile,
} from '../../lib/dockerfile/index.ts'
import type { ImageConfig } from '../../lib/oci/index.ts'

const linux = { platform: 'linux/amd64', buildPlatform: 'linux/amd64' }

function evaluate(text: string, options: EvaluateDockerfileOptions = {}) {
  return evaluateDockerfile(parseDockerfile(text), { ...linux, ...options })
}

const step = (line: string) => evaluate(`FROM scratch\nWORKDIR /w\n${line}\n`).stages[0]!.steps[1]
const digest = `sha256:${'0'.repeat(64)}`

test('ADD of addresses is a fetch of its own, unless local files come with it', () => {
  expect(step('ADD https://x.org/a.tgz?b /t/')).toMatchObject({
    kind: 'fetch',
    remotes: [{ url: 'https://x.org/a.tgz?b' }],
    destination: '/t/',
  })
  expect(step(`ADD --checksum=${digest} --unpack=true --link http://x/a .`)).toMatchObject({
    remotes: [{ url: 'http://x/a', checksum: digest, unpack: true }],
    destination: '/w/',
    link: true,
  })
  expect(step('ADD --exclude=*.md a https://x.org/b <<C /t/\nc\nC')).toMatchObject({
    kind: 'copy',
    sources: ['a'],
    files: [{ name: 'C', content: 'c\n' }],
    remotes: [{ url: 'https://x.org/b' }],
    exclude: ['*.md'],
    unpack: true,
    text: 'ADD a https://x.org/b <<C /t/ # buildkit',
  })
})

test.each<[string, object]>([
  ['https://x.org/r.git', { git: 'https://x.org/r.git' }],
  ['https://x.org/r.git#main:docs', { git: 'https://x.org/r.git', ref: 'main', subdirectory: 'docs' }],
  ['https://x.org/r.git#:docs', { git: 'https://x.org/r.git', subdirectory: 'docs' }],
  ['git@x.org:o/r#v1', { git: 'git@x.org:o/r', ref: 'v1' }],
  ['ssh://git@x.org/r', { git: 'ssh://git@x.org/r' }],
  ['git://x.org/r?tag=v1&subdir=d', { git: 'git://x.org/r', ref: 'refs/tags/v1', subdirectory: 'd' }],
  [
    'https://x.org/r.git?branch=b&commit=abc&keep-git-dir=true&submodules=false',
    { git: 'https://x.org/r.git', ref: 'refs/heads/b', checksum: 'abc', keepGitDirectory: true, submodules: false },
  ],
])('ADD of the git address %s', (address, expected) => {
  expect(step(`ADD ${address} /t`)).toMatchObject({ kind: 'fetch', remotes: [expected] })
})

test('flags of ADD count for git addresses too', () => {
  expect(step('ADD --keep-git-dir --checksum=abcdef https://x.org/r.git#m /t')).toMatchObject({
    remotes: [{ git: 'https://x.org/r.git', ref: 'm', checksum: 'abcdef', keepGitDirectory: true }],
  })
})

test.each<[string, string]>([
  ['ADD https://x.org/r.git?foo=1 /t', 'unknown key "foo"'],
  ['ADD https://x.org/r.git?ref=a&ref=b /t', 'duplicate key "ref"'],
  ['ADD https://x.org/r.git?ref=a#b /t', 'more than one ref'],
  ['ADD --checksum=sha256:zz https://x.org/a /t', 'is not a digest'],
  [`ADD --checksum=${digest} https://x.org/a https://x.org/b /t/`, '--checksum needs exactly one source'],
  ['COPY git@x.org:o/r /t', 'COPY takes no addresses at Dockerfile:3:6 (use ADD)'],
])('%s is refused', (line, message) => {
  expect(() => step(line)).toThrow(message)
})

test('destinations are joined to the working directory, and remember that they are a directory', () => {
  const destination = (text: string) => (step(`COPY a ${text}`) as { destination: string }).destination
  const expected = { '.': '/w/', './': '/w/', '/': '/', 'b/..': '/w', '../c/.': '/c/', '/d/': '/d/', e: '/w/e' }
  expect(Object.fromEntries(Object.keys(expected).map(text => [text, destination(text)]))).toEqual(expected)
  expect((step('COPY ["a", ""]') as { destination: string }).destination).toBe('/w/')
})

test('named contexts replace bases, stages and sources; a platform of their own comes first', () => {
  const text =
    'FROM alpine:latest AS base\nRUN x\nFROM docker.io/library/node\nCOPY --from=base / /\nCOPY --from=cfg a b\n'
  const { stages, unresolved } = evaluate(text, {
    contexts: {
      base: { context: 'base' },
      node: { reference: 'mirror/node:1' },
      'node::linux/arm64': { reference: 'mirror/arm' },
      cfg: { context: 'cfg' },
    },
  })
  expect(stages.map(({ base, steps }) => [base, steps.length])).toEqual([
    [{ context: 'base', platform: 'linux/amd64' }, 0],
    [{ reference: 'mirror/node:1', platform: 'linux/amd64' }, 2],
  ])
  expect(stages[1]!.steps).toMatchObject([{ from: { stage: 0 } }, { from: { context: 'cfg' } }])
  expect(unresolved).toHaveLength(2)
  const arm = evaluate('FROM node\n', {
    platform: 'linux/arm64',
    contexts: { node: { reference: 'a' }, 'node::linux/arm64': { reference: 'b' } },
  })
  expect(arm.stages[0]!.base).toEqual({ reference: 'b', platform: 'linux/arm64' })
  const images = { contexts: { tools: { reference: 'x/tools:2' }, 'Not Valid': { context: 'n' } } }
  expect(evaluate('FROM scratch\nCOPY --from=tools a b\n', images).stages[0]!.steps[0]).toMatchObject({
    from: { reference: 'x/tools:2', platform: 'linux/amd64' },
  })
  expect(evaluate('FROM scratch\nCOPY --from=scratch a b\n', images).stages[0]!.steps[0]).toMatchObject({
    from: { scratch: true },
  })
})

test('a stage on a stage that a named context replaces has no triggers of that stage', () => {
  const text = 'FROM scratch AS base\nONBUILD RUN x\nFROM base\nLABEL a=b\n'
  const { stages } = evaluate(text, { contexts: { base: { context: 'c' } } })
  expect(stages.map(({ steps, onBuild }) => [steps.length, onBuild])).toEqual([
    [0, []],
    [1, []],
  ])
})

test('front ends other than docker/dockerfile are refused by name', () => {
  const refused = expect.objectContaining({ code: 'ERR_DOCKERFILE_UNSUPPORTED', line: 1 })
  for (const image of ['docker/dockerfile', 'docker/dockerfile:1.7-labs', 'mirror:5000/docker/dockerfile-upstream:x']) {
    expect(evaluate(`# syntax=${image}\nFROM scratch\n`).stages).toHaveLength(1)
  }
  expect(evaluate(`# syntax=docker/dockerfile@${digest}\nFROM scratch\n`).stages).toHaveLength(1)
  for (const image of ['r2d4/mocker', 'dockerfile', 'x/docker/dockerfiles:1']) {
    expect(() => evaluate(`# syntax=${image}\nFROM scratch\n`)).toThrow(refused)
  }
  expect(() => evaluate('#!/bin/x\n# syntax=r2d4/mocker\nFROM scratch\n')).toThrow('"r2d4/mocker" is not supported')
  expect(evaluate('#!/bin/x\n# check=skip=all\nFROM scratch\n').stages).toHaveLength(1)
  expect(() => parseDockerfile('// syntax=x/y\nanything')).toThrow(refused)
  expect(() => parseDockerfile('#!/bin/x\n// syntax=x/y\nanything')).toThrow('for the front end "x/y"')
})

test('proxy arguments are given in both cases, and unused arguments are named', () => {
  const { proxies, unusedBuildArgs, sourceDateEpoch } = evaluate('ARG G\nFROM scratch\nARG A\nENV x=y\n', {
    buildArgs: {
      http_proxy: 'p',
      HTTP_PROXY: 'upper',
      No_Proxy: 'n',
      A: '1',
      G: '2',
      U: '3',
      none: undefined,
      SOURCE_DATE_EPOCH: '7',
      BUILDKIT_SBOM_SCAN_STAGE: 'x',
      TARGETARCH: 'z',
    },
  })
  expect(proxies).toEqual(['HTTP_PROXY=p', 'http_proxy=p', 'NO_PROXY=n', 'no_proxy=n'])
  expect(unusedBuildArgs).toEqual(['U'])
  expect(sourceDateEpoch).toBe('7')
  expect(evaluate('ARG SOURCE_DATE_EPOCH=5\nFROM scratch\n').sourceDateEpoch).toBe('5')
  expect(evaluate('FROM scratch\n')).not.toHaveProperty('sourceDateEpoch')
})

test('platforms: the target for stages, --platform for one, arm without a variant is v7', () => {
  const text = 'FROM --platform=$BUILDPLATFORM a AS b\nFROM b\nFROM c\nARG TARGETVARIANT BUILDARCH\n'
  const { platform, stages } = evaluate(text, { platform: 'linux/arm', target: '' })
  expect(platform).toBe('linux/arm/v7')
  expect(stages[0]).toMatchObject({ platform: 'linux/arm/v7', base: { reference: 'c', platform: 'linux/arm/v7' } })
  expect(stages[0]!.steps[0]!.text).toBe('ARG TARGETVARIANT=v7 BUILDARCH=amd64')
  expect(evaluateDockerfile(parseDockerfile('FROM scratch')).platform).toMatch(/^linux\//)
  expect(() => evaluate('FROM scratch', { platform: 'a b' })).toThrow('not a platform')
})

test('a config of a base with members of other types counts as setting nothing', () => {
  const config = { Env: 'x', WorkingDir: 5, User: null, Shell: [1], OnBuild: {}, Volumes: [] }
  const base = { os: 'linux', architecture: 'amd64', config, rootfs: { type: 'layers', diff_ids: [] } } as unknown
  const { stages } = evaluate('FROM a\nRUN x\n', { bases: () => base as ImageConfig })
  expect(stages[0]!.steps[0]).toMatchObject({
    text: 'RUN /bin/sh -c x # buildkit',
    environment: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    user: '',
    workdir: '/',
  })
})

test('a base for Windows has its own shell and no PATH of ours', () => {
  const { stages } = evaluate('FROM --platform=windows/amd64 a\nRUN x\nRUN <<E\n#!x\nE\n')
  expect(stages[0]!.steps).toMatchObject([
    { command: { shell: ['cmd', '/S', '/C'], text: 'x' }, environment: [] },
    { command: { text: '#!x\n' } },
  ])
})

test('a trigger of a base that is broken is named with the place of the FROM', () => {
  const base = (onBuild: string) => () =>
    ({
      os: 'linux',
      architecture: 'amd64',
      config: { OnBuild: [onBuild], Env: ['NOVALUE'] },
      rootfs: { type: 'layers', diff_ids: [] },
    }) as unknown as ImageConfig
  for (const trigger of ['FROM x', 'RUN a\nRUN b', '', 'WORKDIR', 'FOO', 'COPY --from=9 a b', 'LABEL a=${X:?}']) {
    expect(() => evaluate('ARG A\nFROM a\n', { bases: base(trigger) })).toThrow(
      expect.objectContaining({ line: 2, message: expect.stringContaining('ONBUILD trigger') }),
    )
  }
})

test.each([
  ['FROM scratch\nENV A=x\0--bind\n', 2, 8],
  ['FROM scratch\nUSER \\\n 0\0\n', 3, 3],
  ['FROM scratch\nCMD ["a\\u0000"]\n', 2, 1],
  ['FROM scratch\nRUN <<E\na\0\nE\n', 3, 2],
])('a NUL character in a text of a process is refused at its place: %j', (text, line, column) => {
  const refused = { code: 'ERR_DOCKERFILE_SYNTAX', line, column, message: expect.stringMatching(/NUL/) }
  expect(() => parseDockerfile(text)).toThrowError(expect.objectContaining(refused))
  expect(() => parseDockerfile(text)).toThrowError(DockerfileError)
})
