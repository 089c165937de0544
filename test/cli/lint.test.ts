// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of Dockerfiles
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { cli } from '../helpers/run-cli.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const directory = temporaryDirectory('lint')
afterAll(() => directory[Symbol.dispose]())

function written(text: string, name = 'Dockerfile'): string {
  const path = join(directory.path, name)
  writeFileSync(path, text)
  return path
}

const clean = `FROM debian:12@sha256:${'0'.repeat(64)}\nUSER 1000\n`

test('lint of a clean Dockerfile prints nothing on stdout and ends with 0', async () => {
  const file = written(clean)
  expect(await cli(['lint', file])).toMatchObject({
    code: 0,
    stdout: '',
    stderr: `${file}: 0 warnings, 0 pieces of advice\n`,
  })
})

test('lint prints place, rule, message and hint, and ends with 1 for warnings as docker build --check does', async () => {
  const file = written('FROM scratch AS Build\nUSER 1\n')
  const { code, stdout } = await cli(['lint', file])
  expect(code).toBe(1)
  expect(stdout).toBe(
    `${file}:1:17: warning StageNameCasing: stage name Build is not in lower case\n    name it build\n`,
  )
})

test('lint ends with 0 for advice, unless --strict is given', async () => {
  const file = written('FROM debian:12\nUSER 1\n')
  expect(await cli(['lint', file])).toMatchObject({ code: 0, stderr: `${file}: 0 warnings, 1 piece of advice\n` })
  expect((await cli(['lint', '--strict', file])).code).toBe(1)
})

test('lint of a broken Dockerfile prints the code frame, and as JSON the place', async () => {
  const file = written('FROM scratch\nRUM x\n')
  const { code, stdout, stderr } = await cli(['lint', file])
  expect(code).toBe(1)
  expect(stderr).toBe(`${file}: 1 error, 0 warnings, 0 pieces of advice\n`)
  expect(stdout.split('\n').slice(0, 4)).toEqual([
    `error ERR_DOCKERFILE_SYNTAX: unknown instruction "RUM" at ${file}:2:1 (did you mean RUN?)`,
    '  1 | FROM scratch',
    '> 2 | RUM x',
    '    | ^',
  ])
  const json = await cli(['lint', '--json', file])
  expect(json.code).toBe(1)
  expect(JSON.parse(json.stdout)).toMatchObject({
    findings: [],
    error: { code: 'ERR_DOCKERFILE_SYNTAX', line: 2, column: 1, hint: 'did you mean RUN?' },
  })
})

test('other commands print the code frame before the error', async () => {
  const file = written('FROM scratch\nENV A=${B\n', 'broken.Dockerfile')
  const { code, stderr } = await cli(['build', '-f', file, directory.path], { store: join(directory.path, 'store') })
  expect(code).toBe(1)
  expect(stderr.split('\n').slice(0, 4)).toEqual([
    '  1 | FROM scratch',
    '> 2 | ENV A=${B',
    '    |     ^',
    expect.stringMatching(/^layerstore: cannot expand .*\(ERR_DOCKERFILE_EXPANSION\)$/),
  ])
})

test('lint reads stdin, build arguments and the ignore file beside the Dockerfile', async () => {
  async function* stdin() {
    yield Buffer.from('ARG B\nFROM $B\nUSER 1\n')
  }
  const piped = await cli(['lint', '-', '--build-arg', 'B=scratch', '--quiet'], { stdin: stdin() })
  expect(piped).toMatchObject({ code: 1, stdout: expect.stringMatching(/^stdin:2:6: warning InvalidDefaultArgInFrom/) })
  const file = written('FROM scratch\nCOPY a /a\nUSER 1\n', 'own.Dockerfile')
  expect((await cli(['lint', file])).code).toBe(0)
  written('a\n', 'own.Dockerfile.dockerignore')
  expect((await cli(['lint', file])).stdout).toContain('CopyIgnoredFile')
})

test('lint refuses a build argument without a value, and a file that does not exist', async () => {
  expect(await cli(['lint', written(clean), '--build-arg', 'B'])).toMatchObject({ code: 2 })
  expect(await cli(['lint', join(directory.path, 'nothing')])).toMatchObject({ code: 1 })
})
