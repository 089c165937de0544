import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
const at = (name: string) => join(directory.path, name)

beforeAll(async () => {
  directory = temporaryDirectory('cli-missing')
  await using store = await openStore(at('store'), { durability: 'none' })
  await sampleImage(store, [{ 'app/a': 'a' }], { name: 'demo:1' })
  mkdirSync(at('dir'))
  writeFileSync(at('file'), 'FROM scratch\n')
  writeFileSync(at('dir/Dockerfile'), 'FROM scratch\n')
})
afterAll(() => directory[Symbol.dispose]())

/** Runs a command whose paths begin with `@`; resolves to its message, with the paths as they were given. */
async function message(words: string): Promise<{ code: number; text: string }> {
  const args = words.split(' ').map(word => word.replaceAll('@', `${directory.path}/`))
  const { code, stderr } = await cli(args, { store: at('store'), env: { COSIGN_PASSWORD: 'x' } })
  return { code, text: stderr.trimEnd().split('\n').at(-1)!.replaceAll(`${directory.path}/`, '@') }
}

/** Commands that read a file, the name of the option in the message, and the exit code of wrong usage. */
const FILES = [
  ['analyze demo:1 --ci-config @', '--ci-config', 2],
  ['append scratch -t x --dir @dir --ignore-file @', '--ignore-file', 2],
  ['append scratch -t x --dir @dir --policy @', '--policy', 2],
  ['build @dir -t x --policy @', '--policy', 2],
  ['build @dir -t x --secret id=a,src=@', '--secret a', 2],
  ['build @dir -t x --lock-frozen --lock @', '--lock', 2],
  ['check demo:1 --db @dir --vex @', '--vex', 2],
  ['edit demo:1 -t x --label a=b --policy @', '--policy', 2],
  ['export demo:1 -o @rootfs.tar --policy @', '--policy', 2],
  ['index create demo:1 -t x --policy @', '--policy', 2],
  ['lint @', 'lint', 2],
  ['load -i @file --policy @', '--policy', 2],
  ['pin @', 'pin', 2],
  ['pull --from-plan @', '--from-plan', 2],
  ['rebase demo:1 --onto demo:1 -t x --policy @', '--policy', 2],
  ['run --env-file @ demo:1 x', '--env-file', 125],
  ['run --policy @ demo:1 x', '--policy', 125],
  ['serve --htpasswd @', '--htpasswd', 2],
  ['serve --tls-cert @ --tls-key @file', '--tls-cert', 2],
  ['sign demo:1 --key @', '--key', 2],
  ['tags localhost:1/x --ca @', '--ca', 2],
  ['verify demo:1 --key @', '--key', 2],
] as const

describe('a file that an option names', () => {
  test.each(FILES)('%s: is named if it is missing, a directory or below a file', async (words, option, usage) => {
    const put = (path: string) => message(words.replace(/@(?=$| demo:1 x| --tls-key)/, `@${path}`))
    const missing = usage === 125 ? 125 : 1
    expect(await put('gone')).toEqual({
      code: missing,
      text: `layerstore: ${option}: no such file: "@gone" (ERR_SOURCE_NOT_FOUND)`,
    })
    expect(await put('dir')).toEqual({
      code: usage,
      text: `layerstore: ${option}: "@dir" is a directory, not a file (ERR_USAGE)`,
    })
    expect(await put('file/x')).toEqual({
      code: usage,
      text: `layerstore: ${option}: a part of the path "@file/x" is a file (ERR_USAGE)`,
    })
  })

  test.skipIf(!needsProgram('mkfifo'))('a policy may come through a pipe, which is read once', async () => {
    execFileSync('mkfifo', [at('pipe')])
    const writing = writeFile(at('pipe'), JSON.stringify({ version: 1, default: 'accept' }))
    expect(await message('copy store:demo:1 oci:@copied:v1 --policy @pipe')).toMatchObject({ code: 0 })
    await writing
  })

  test.each([
    ['build @dir -t x -f @file/x', /^layerstore: no Dockerfile at @file\/x; name it with -f FILE \(ERR_USAGE\)$/],
    ['build @dir/.. -t x -f @dir', /^layerstore: no Dockerfile at @dir; name it with -f FILE \(ERR_USAGE\)$/],
    ['build @dir -t x -f @store', /^layerstore: --file: "@store" is a directory, not a file \(ERR_USAGE\)$/],
    ['context ls @dir -f @gone', /^layerstore: no Dockerfile at @gone; name it with -f FILE \(ERR_USAGE\)$/],
    [
      'generate-key-pair --output-key-prefix @gone/x',
      /^layerstore: cannot write to --output-key-prefix "@gone\/x.key" \(ENOENT\); create its directory first \(ERR_OUTPUT\)$/,
    ],
    [
      'check demo:1 --db @gone',
      /^layerstore: no such directory of advisories: "@gone"; --db takes a directory with .* \(ERR_SOURCE_NOT_FOUND\)$/,
    ],
    [
      'check demo:1 --db @file',
      /^layerstore: a file is in the place of a directory of advisories: "@file"; --db takes a dir.* \(ERR_SOURCE_NOT_FOUND\)$/,
    ],
  ])('%s is refused by name', async (words, text) => {
    expect((await message(words)).text).toMatch(text)
  })
})
