import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatAge } from '../../lib/cli/printing/format-age.ts'
import { formatTemplate } from '../../lib/cli/printing/format-template.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { readImage } from '../../lib/image/index.ts'
import { storeHistoryImages } from '../helpers/history-images.ts'
import { cli } from '../helpers/run-cli.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
let store: string
const run = (...args: string[]) => cli([...args, '--hasher', 'native'], { store })
const lines = async (...args: string[]) => {
  const { code, stdout, stderr } = await run('history', ...args)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout.trimEnd().split('\n')
}

beforeAll(async () => {
  directory = temporaryDirectory('history')
  store = join(directory.path, 'store')
  await using opened = await openStore(store, { durability: 'none', hasher: 'native' })
  await storeHistoryImages(opened)
  await opened.references.set('whiteouts:latest', (await opened.references.get('whiteouts'))!)
})
afterAll(() => directory[Symbol.dispose]())

describe('history', () => {
  test('prints the columns of docker, newest step first', async () => {
    const [head, ...rows] = await lines('config-steps')
    expect(head!.split(/ {2,}/)).toEqual(['IMAGE', 'CREATED', 'CREATED BY', 'SIZE', 'COMMENT'])
    expect(rows.map(row => row.split(/ {2,}/).filter((_, i) => i !== 1))).toEqual([
      [expect.stringMatching(/^[0-9a-f]{12}$/), 'CMD ["node" "/app/main.js"]', '0B'],
      ['<missing>', 'COPY app /app # buildkit', '1kB', 'buildkit.dockerfile.v0'],
      ['<missing>', 'ENV PATH=/usr/local/bin:/bin NODE_ENV=produc…', '0B'],
      ['<missing>', 'ADD rootfs.tar.xz / # buildkit', '1.23MB', 'buildkit.dockerfile.v0'],
    ])
  })

  test('--no-trunc, --no-human and --quiet print as those of docker', async () => {
    const [, newest, , oldest] = await lines('config-steps', '--no-trunc', '--no-human')
    expect(newest).toMatch(/^sha256:[0-9a-f]{64} +2024-02-29T12:34:56Z +CMD/)
    expect(oldest).toContain('ENV PATH=/usr/local/bin:/bin NODE_ENV=production   0')
    expect(await lines('whiteouts', '-q')).toEqual([expect.stringMatching(/^[0-9a-f]{12}$/), '<missing>'])
    expect((await lines('whiteouts', '-H'))[1]).toMatch(/ years ago /)
    expect((await run('history', 'many', '--human=false')).stderr).toContain('--no-human')
  })

  test('--format takes json, table and templates', async () => {
    expect(await lines('rewritten', '--format', '{{.Size}} by {{.CreatedBy}}')).toEqual([
      '1.23MB by RUN chown 1000:1000 /bin/tool',
      '1.23MB by ADD rootfs.tar /',
    ])
    const [first] = await lines('rewritten', '--format', 'json')
    expect(JSON.parse(first!)).toMatchObject({ CreatedBy: 'RUN chown 1000:1000 /bin/tool', Size: '1.23MB' })
    expect((await lines('rewritten', '--format', 'table {{.Size}}\\t{{.Comment}}'))[0]).toBe('SIZE     COMMENT')
    const { code, stderr } = await run('history', 'rewritten', '--format', '{{range .}}')
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('{{.CreatedBy}}') })
  })

  test('--json prints all that is known of each step', async () => {
    const { stdout } = await run('history', 'whiteouts', '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'whiteouts',
      id: expect.stringMatching(/^sha256:/),
      steps: [
        { created_by: 'RUN rm -rf /gone /var/cache', layer: { index: 1, size: 0 } },
        { created_by: 'RUN make cache', layer: { index: 0, size: 40_010 } },
      ],
    })
  })

  test('of an image in a registry prints the sizes of the blobs, says so, and reads no layer', async () => {
    await using opened = await openStore(store, { readOnly: true })
    const { layers } = await readImage(opened, 'whiteouts')
    await using server = await serveStore(opened)
    const reference = `${server.host}/whiteouts`
    const { code, stdout, stderr } = await run('history', `docker://${reference}:latest`, '--no-human')
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('compressed layers') })
    const sizes = layers.map(({ descriptor }) => String(descriptor.size)).reverse()
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .slice(1)
        .map(line => line.split(/ {2,}/).at(-1)),
    ).toEqual(sizes)
    expect(server.requests.filter(request => layers.some(layer => request.includes(layer.descriptor.digest)))).toEqual(
      [],
    )
  })

  test('of an image on a base that was not pulled prints the sizes of the blobs', async () => {
    await using opened = await openStore(store, { readOnly: true })
    await using server = await serveStore(opened)
    const other = join(directory.path, 'other')
    const files = join(directory.path, 'files')
    mkdirSync(files)
    writeFileSync(join(files, 'app'), 'app')
    const base = `${server.host}/whiteouts:latest`
    expect(await cli(['append', base, '--dir', files, '-t', 'app:1'], { store: other })).toMatchObject({ code: 0 })
    const { code, stdout, stderr } = await cli(['history', 'app:1', '-q', '--json'], { store: other })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const [top, ...steps] = JSON.parse(stdout).steps
    expect([top, ...steps].map(step => step.layer.size)).toEqual([undefined, undefined, undefined])
    expect((await cli(['history', 'app:1'], { store: other })).stderr).toContain('compressed layers')
  })
})

test.each([
  [0, 'Less than a second ago'],
  [1, '1 second ago'],
  [59, '59 seconds ago'],
  [60, 'About a minute ago'],
  [120, '2 minutes ago'],
  [3599, '59 minutes ago'],
  [3600, 'About an hour ago'],
  [2 * 86_400 - 3600, '47 hours ago'],
  [2 * 86_400, '2 days ago'],
  [14 * 86_400, '2 weeks ago'],
  [60 * 86_400, '2 months ago'],
  [730 * 86_400, '2 years ago'],
])('the age of %i seconds is %s', (seconds, text) => {
  expect(formatAge(new Date(0), new Date(seconds * 1000))).toBe(text)
})

test('a template escapes what comes from an image, and keeps tabs and line ends of its own', () => {
  const rows = [{ A: 'x\u001b[2J', B: 'y' }]
  expect(formatTemplate('{{.A}}\\t{{ json .B }}\\n', rows, { A: 'A', B: 'B' })).toBe('x\\u001b[2J\t"y"\n\n')
  expect(formatTemplate('{{json .}}', rows, { A: 'A', B: 'B' })).toBe('{"A":"x\\u001b[2J","B":"y"}\n')
  expect(() => formatTemplate('{{.A', rows, { A: 'A', B: 'B' })).toThrow('{{ without }}')
  expect(() => formatTemplate('{{.C}}', rows, { A: 'A', B: 'B' })).toThrow('--format knows json, {{json .}} and {{.A}}')
})
