import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { printable } from '../../lib/cli/printing/printable.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const NAME = 'org.opencontainers.image.ref.name'
/** Moves the cursor, ends lines, turns the direction of text. */
const HOSTILE = 'a\u001b[2Jb\nc\u007fd\u009be\u2028f\u2029g\u202eh\u2066i\u2069j\u200fk\u061cl\u0085m'
const UNPRINTABLE = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\p{Cs}]/u

let directory: ReturnType<typeof temporaryDirectory>
let store: string
const run = (...args: string[]) => cli([...args, '--hasher', 'native'], { store })

beforeEach(async () => {
  directory = temporaryDirectory('printing')
  store = join(directory.path, 'store')
  await using opened = await openStore(store, { durability: 'none' })
  const config = { Env: [`A=${HOSTILE}`], Labels: { [HOSTILE]: HOSTILE }, User: HOSTILE }
  await sampleImage(opened, [{ [`d${HOSTILE.replace('\n', '')}`]: 'x' }], { name: 'app:1', config })
  const path = join(store, 'index.json')
  const index = JSON.parse(readFileSync(path, 'utf8'))
  const [entry] = index.manifests
  index.manifests.push({ ...entry, annotations: { [NAME]: HOSTILE } })
  writeFileSync(path, JSON.stringify(index))
})
afterEach(() => directory[Symbol.dispose]())

test('unprintable characters are escaped, all others stay', () => {
  expect(printable(HOSTILE)).toBe(
    'a\\u001b[2Jb\\u000ac\\u007fd\\u009be\\u2028f\\u2029g\\u202eh\\u2066i\\u2069j\\u200fk\\u061cl\\u0085m',
  )
  for (const character of '\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029\u007f\u0080\u009f\ud800') {
    expect(printable(character)).toBe(`\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
  }
  // Joined emoji, combining marks and text that runs from right to left by itself.
  const fine = 'naïve — 日本語 שלום \u{1f469}\u200d\u{1f4bb} e\u0301 \\'
  expect(printable(fine)).toBe(fine)
})

describe('a name of a stranger is one line of plain text, whatever prints it', () => {
  test.each([
    ['images'],
    ['inspect', HOSTILE, '--platform', 'amd64'],
    ['df', '--images'],
    ['gc', '--dry-run', '--explain', '--keep-last', '0', '--grace', '1h'],
    ['fsck'],
    ['files', 'app:1', '--platform', 'amd64'],
    ['tag', HOSTILE, 'other:1'],
    ['rm', HOSTILE],
    ['inspect', `none${HOSTILE}`],
    ['pull', `127.0.0.1:1/${HOSTILE}`],
    ['unpack', 'app:1', `/dev/null/${HOSTILE}`, '--platform', 'amd64'],
    ['load', '-i', `/dev/null/${HOSTILE}`],
    [HOSTILE],
    ['images', `--${HOSTILE}`],
    ['copy', `oci:${HOSTILE}:x`, `oci:${HOSTILE}:y`],
  ])('%j', async (...args) => {
    for (const json of [false, true]) {
      const { stdout, stderr } = await run(...args, ...(json ? ['--json'] : []))
      expect(stdout + stderr).not.toBe('')
      for (const line of `${stdout}${stderr}`.split('\n')) expect(line).not.toMatch(UNPRINTABLE)
      if (json) expect(() => JSON.parse(stdout)).not.toThrow()
    }
  })
})

test('in JSON a name is the same name', async () => {
  const { stdout } = await run('images', '--json')
  expect((JSON.parse(stdout) as { name: string }[]).map(({ name }) => name)).toContain(HOSTILE)
  expect(stdout).toContain('\\u202e')
  expect(stdout).toContain('\\u009b')
})

test('only documents, files and the moves of the cursor are written around the printer', () => {
  const root = join(import.meta.dirname, '../../lib/cli')
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
  const writes = files.flatMap(name => {
    const found = readFileSync(join(root, name), 'utf8').match(/(?:\.write\(|console\.|\.pipe\(|pipeline\()/g) ?? []
    return found.map(() => name.replaceAll('\\', '/'))
  })
  expect(writes.sort()).toEqual([
    'building/build-display.ts',
    // A tar of a build, on request.
    'building/output-options.ts',
    // The Dockerfile of `pin -`.
    'commands/building/pin.ts',
    'commands/moving/export.ts',
    'commands/moving/save.ts',
    'commands/reading/cat.ts',
    'printing/print.ts',
    'printing/print.ts',
    // The colour of a line.
    'printing/print.ts',
    'printing/progress-display.ts',
    // The help of commander.
    'run-cli.ts',
    // The output of a container.
    'running/start-options.ts',
    'session/session.ts',
  ])
})

test('with --quiet an empty list prints nothing, not even a head', async () => {
  await run('rm', 'app:1')
  await run('rm', HOSTILE)
  expect(await run('images', '--quiet')).toEqual({ code: 0, stdout: '', stderr: '' })
  expect((await run('images')).stdout).toBe('NAME   DIGEST   PLATFORM   SIZE\n')
  expect((await run('df', '--images', '--quiet')).stdout).not.toContain('IMAGE')
  expect((await run('images', '--quiet', '--json')).stdout).toBe('[]\n')
})

test('manifest and config print the bytes of the document and nothing else', async () => {
  await using opened = await openStore(store)
  const descriptor = (await opened.references.get('app:1'))!
  const bytesOf = (name: string) => readFileSync(join(store, 'blobs', name.replace(':', '/')), 'utf8')
  const manifest = bytesOf(descriptor.digest)
  expect((await run('manifest', 'app:1')).stdout).toBe(manifest)
  expect((await run('manifest', 'app:1', '--platform', 'amd64')).stdout).toBe(manifest)
  const config = bytesOf(JSON.parse(manifest).config.digest)
  expect((await run('config', 'app:1', '--platform', 'amd64')).stdout).toBe(config)
})
