import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/index.ts'
import { storePostgresImages } from '../helpers/postgres-images.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { runTyped } from '../helpers/typed-line.ts'

/*
 * Pages of lib/guides/ that show what commands print: a block of commands, the marker `<!-- output -->`, and a block
 * with the output, or with its end (`<!-- output from Rules -->`). UPDATE_GUIDES=1 writes the output anew.
 */

const guides = resolve(import.meta.dirname, '../../lib/guides')
const pages = readdirSync(guides).filter(name => readFileSync(join(guides, name), 'utf8').includes('<!-- output'))

/** Commands, and their output, or its end from a word on; the output is absent on a new page. */
const BLOCK = /```sh\n([\s\S]*?)```\n(?:(<!-- output(?: from (\w+))? -->)\n(?:\n?```text\n[\s\S]*?```\n)?)?/g

let place: ReturnType<typeof temporaryDirectory>
beforeAll(async () => {
  place = temporaryDirectory('printed-output')
  await using store = await openStore(join(place.path, 'images'), { durability: 'none', hasher: 'native' })
  await storePostgresImages(store)
})
afterAll(() => place[Symbol.dispose]())

describe.each(pages)('%s', page => {
  test('shows what its commands print (UPDATE_GUIDES=1 writes it anew)', async () => {
    const path = join(guides, page)
    const text = readFileSync(path, 'utf8')
    const printed = await withOutput(text)
    if (process.env.UPDATE_GUIDES) writeFileSync(path, printed)
    else expect(text).toBe(printed)
    expect(printed).toContain('```text')
  })
})

/** The page with the output of each block. A command with `# fails` ends with 1, every other one with 0. */
async function withOutput(text: string): Promise<string> {
  let result = ''
  let at = 0
  for (const match of text.matchAll(BLOCK)) {
    const [whole, commands = '', marker, from = ''] = match
    const printed: string[] = []
    for (const line of commands.trim().split('\n')) printed.push(await outputOf(line))
    const block = `\`\`\`sh\n${commands}\`\`\`\n`
    const output = printed.join('')
    const shown = marker ? `${marker}\n\n\`\`\`text\n${output.slice(output.indexOf(from))}\`\`\`\n` : ''
    result += text.slice(at, match.index) + block + shown
    at = match.index + whole.length
  }
  return result + text.slice(at)
}

async function outputOf(line: string): Promise<string> {
  const [command = '', remark] = line.split(/ +# /)
  const { code, stdout, stderr } = await runTyped(command, { store: join(place.path, 'images') })
  expect({ command, code, stderr: code === 1 ? '' : stderr }).toMatchObject({ code: remark === 'fails' ? 1 : 0 })
  return stdout.replaceAll(/ +$/gm, '')
}
