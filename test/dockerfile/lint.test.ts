// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of Dockerfiles
import { expect, test } from 'vitest'
import { type LintDockerfileOptions, lintDockerfile, parseDockerfile } from '../../lib/dockerfile/index.ts'
import { createIgnoreRules } from '../../lib/layer/index.ts'
import type { ImageConfig } from '../../lib/oci/index.ts'

const linux = { platform: 'linux/amd64', buildPlatform: 'linux/amd64' }

function findings(text: string, options: LintDockerfileOptions = {}) {
  return lintDockerfile(parseDockerfile(text), { ...linux, ...options }).findings
}

/** Names of rules with lines, of our own rules without their prefix. */
function own(text: string, options?: LintDockerfileOptions): string[] {
  return findings(text, options).flatMap(({ rule, position }) => {
    const [prefix, name] = rule.split('/')
    return prefix === 'layerstore' ? `${name}:${position.line}` : []
  })
}

const quiet = { FROM: `FROM debian:12@sha256:${'0'.repeat(64)}\n`, USER: 'USER 1000\n' }

/** Findings about the lines between a pinned base and a user. */
function inQuiet(lines: string): string[] {
  return own(quiet.FROM + lines + quiet.USER)
}

test('a finding says rule, severity, message, hint and place, to the column where a word is meant', () => {
  expect(findings('FROM scratch AS Build\nUSER 1\n')).toEqual([
    {
      rule: 'StageNameCasing',
      severity: 'warning',
      message: 'stage name Build is not in lower case',
      hint: 'name it build',
      position: { line: 1, column: 17, endLine: 1 },
    },
  ])
})

test('dependencies that are installed after the whole context was copied are found', () => {
  expect(inQuiet('COPY . /app\nRUN npm ci --omit=dev && npm cache clean --force\n')).toEqual([
    'DependenciesAfterSources:3',
  ])
  for (const install of [
    'yarn',
    'yarn --frozen-lockfile',
    'pip install --no-cache-dir -r r.txt',
    'go mod download',
    'bundle install',
  ]) {
    expect(inQuiet(`COPY ./ .\nRUN cd x && ${install}\n`)).toEqual(['DependenciesAfterSources:3'])
  }
  const early =
    'COPY package.json package-lock.json ./\nRUN npm ci && npm cache clean --force\nCOPY . .\nRUN npm run build\n'
  expect(inQuiet(early)).toEqual([])
  expect(inQuiet('COPY src /app\nRUN npm install left-pad && npm cache clean --force\n')).toEqual([])
  expect(inQuiet('COPY --from=x:1 . /app\nRUN yarn\n')).toEqual(['UnpinnedImage:2'])
})

test('package caches that stay in a layer of the image are found, in the stages that are shipped', () => {
  for (const line of [
    'apt-get update && apt-get -o A=b -y install x',
    'apk add x',
    'dnf -y install x',
    'pip install x',
    'npm i -g x',
  ]) {
    expect(inQuiet(`RUN ${line}\n`)).toEqual(['PackageCacheInLayer:2'])
    expect(own(`${quiet.FROM}RUN ${line}\n${quiet.FROM}${quiet.USER}`)).toEqual([])
  }
  for (const line of [
    'apt-get update && apt-get install -y x && rm -rf /var/lib/apt/lists/*',
    'apk add --no-cache x',
    'dnf -y install x && dnf clean all',
    'pip install --no-cache-dir x',
    'npm i -g x && npm cache clean --force',
  ]) {
    expect(inQuiet(`RUN ${line}\n`)).toEqual([])
  }
  expect(inQuiet('RUN --mount=type=cache,target=/root/.npm npm ci\n')).toEqual([])
  expect(inQuiet('RUN --mount=type=cache,target=/other npm ci\n')).toEqual(['PackageCacheInLayer:2'])
  expect(inQuiet('ENV PIP_NO_CACHE_DIR=1\nRUN pip install x\n')).toEqual([])
  expect(inQuiet('RUN <<EOF\nset -e\napk add x\nEOF\n')).toEqual(['PackageCacheInLayer:2'])
  expect(inQuiet('RUN ["apk", "add", "x"]\n')).toEqual(['PackageCacheInLayer:2'])
})

test('bases that may be others tomorrow are found: latest and no tag as warnings, tags as advice', () => {
  const found = findings('FROM node AS a\nFROM node:latest AS b\nFROM node:22\nCOPY --from=tools:1 /a /b\nUSER 1\n')
  expect(found.map(({ rule, severity, position }) => [rule, severity, position.line])).toEqual([
    ['layerstore/LatestTag', 'warning', 1],
    ['layerstore/LatestTag', 'warning', 2],
    ['layerstore/UnpinnedImage', 'advice', 3],
    ['layerstore/UnpinnedImage', 'advice', 4],
  ])
  expect(own('FROM scratch AS a\nFROM a\nUSER 1\n')).toEqual([])
  expect(own('FROM Not/Valid\nUSER 1\n')).toEqual([])
})

test('an image that runs as root is found, unless its base sets a user', () => {
  expect(own(quiet.FROM)).toEqual(['RunsAsRoot:1'])
  expect(own(`${quiet.FROM}USER app\nUSER root\n`)).toEqual(['RunsAsRoot:3'])
  expect(own(`${quiet.FROM}USER 0:0\n`)).toEqual(['RunsAsRoot:2'])
  expect(own('FROM scratch AS a\nUSER 5\nFROM a\n')).toEqual([])
  const base = { os: 'linux', architecture: 'amd64', config: { User: 'app' }, rootfs: { type: 'layers', diff_ids: [] } }
  expect(own(quiet.FROM, { bases: () => base as ImageConfig })).toEqual([])
})

test('secrets in values and copied files are found, and their values not shown', () => {
  const token = `ghp_${'a'.repeat(36)}`
  const found = findings(`${quiet.FROM}ENV X=${token}\nARG U=https://me:hunter22@x.org\nLABEL a=b\n${quiet.USER}`)
  expect(found.map(({ rule, position }) => [rule, position.line])).toEqual([
    ['layerstore/SecretInValue', 2],
    ['layerstore/SecretInValue', 3],
  ])
  expect(JSON.stringify(found)).not.toMatch(/ghp_|hunter/)
  expect(inQuiet('COPY .env config/server.key id_rsa .npmrc /app/\n')).toEqual(Array(4).fill('SecretCopied:2'))
  expect(inQuiet('COPY .env.example id_rsa.pub keys.md /app/\n')).toEqual([])
})

test('three RUN in a row that && would join are found, two are not', () => {
  expect(inQuiet('RUN a\nRUN b\nRUN c\nENV A=b\nRUN d\nRUN e\n')).toEqual(['JoinableRuns:2'])
  expect(inQuiet('RUN a\nRUN --network=none b\nRUN c\nRUN d\n')).toEqual([])
})

test('sources that the ignore file leaves out are found, unless it takes paths back', () => {
  const ignored = (patterns: string[], source: string) =>
    findings(`FROM scratch\nCOPY ${source} /x/\nUSER 1\n`, {
      ignore: { patterns, ignores: createIgnoreRules(patterns).ignores },
    }).map(({ rule }) => rule)
  expect(ignored(['node_modules', '*.md'], 'node_modules/a')).toEqual(['CopyIgnoredFile'])
  expect(ignored(['node_modules', '*.md'], './README.md')).toEqual(['CopyIgnoredFile'])
  expect(ignored(['node_modules', '*.md'], 'src')).toEqual([])
  expect(ignored(['node_modules', '!node_modules/a'], 'node_modules')).toEqual([])
  expect(ignored(['a'], '.')).toEqual([])
  expect(ignored(['**'], '.')).toEqual(['CopyIgnoredFile'])
})

test('a base for another platform than its stage is found once its config is known', () => {
  const arm = { os: 'linux', architecture: 'arm64', config: { User: 'x' }, rootfs: { type: 'layers', diff_ids: [] } }
  const found = findings(quiet.FROM, { bases: () => arm as ImageConfig })
  expect(found.map(({ rule, message }) => [rule, message])).toEqual([
    ['InvalidBaseImagePlatform', expect.stringContaining('is for linux/arm64, not for linux/amd64')],
  ])
})

test('rules are skipped by the directive, by a comment above the instruction, and by the build argument', () => {
  const text = 'FROM scratch AS A\n# check=skip=JSONArgsRecommended\nCMD x\nUSER 1\n'
  expect(findings(text).map(({ rule }) => rule)).toEqual(['StageNameCasing'])
  expect(findings(`# check=skip=StageNameCasing\n${text}`)).toEqual([])
  expect(findings(text, { buildArgs: { BUILDKIT_DOCKERFILE_CHECK: 'skip=all' } })).toEqual([])
  expect(own('# check=skip=layerstore/RunsAsRoot\nFROM scratch\n')).toEqual([])
})

test('error=true makes warnings fail the build, advice not', () => {
  const fails = (text: string) => lintDockerfile(parseDockerfile(text), linux).failsBuild
  expect(fails('# check=error=true\nFROM scratch AS A\n')).toBe(true)
  expect(fails('# check=error=true\nFROM scratch\n')).toBe(false)
  expect(fails('FROM scratch AS A\n')).toBe(false)
  expect(() => fails('# check=foo=bar\nFROM scratch\n')).toThrow('invalid check option "foo=bar"')
  expect(() => fails('# check=error=maybe\nFROM scratch\n')).toThrow('check option error is true or false')
})

test('a file that cannot be evaluated gives the error, and the findings that need no evaluation', () => {
  const { findings, error } = lintDockerfile(parseDockerfile('FROM scratch AS A\nENV X=${Y:?}\n'), linux)
  expect(findings.map(({ rule }) => rule)).toEqual(['StageNameCasing'])
  expect(error).toMatchObject({ code: 'ERR_DOCKERFILE_EXPANSION', line: 2, column: 5 })
})
