import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { contextTar, openContext } from '../../lib/build/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { cli } from '../helpers/run-cli.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const dockerfile = 'FROM scratch AS app\nARG V=1\nCOPY src /app\nCOPY a.txt /\nENV V=$V\n'

function makePlace(text = dockerfile) {
  const directory = temporaryDirectory('build')
  const context = join(directory.path, 'context')
  mkdirSync(join(context, 'src'), { recursive: true })
  writeFileSync(join(context, 'Dockerfile'), text)
  writeFileSync(join(context, 'a.txt'), 'a')
  writeFileSync(join(context, 'src/x.js'), 'x')
  return {
    ...directory,
    path: directory.path,
    context,
    store: join(directory.path, 'store'),
    [Symbol.dispose]: directory[Symbol.dispose],
  }
}

async function expectNoImage(store: string): Promise<void> {
  expect((await cli(['--json', 'images'], { store })).stdout).toMatch(/^\[\]\n$|ERR_STORE_NOT_FOUND/)
}

test('build makes an image from a Dockerfile, and prints its digest; steps and their times go to stderr', async () => {
  using place = makePlace()
  const first = await cli(['build', '-t', 'app:1', '-t', 'app:2', '--label', 'l=1', place.context], place)
  expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^sha256:[0-9a-f]{64}\n$/) })
  expect(first.stderr.replace(/\d+\.\ds/g, 'Ns')).toBe(
    [
      '[app 1/5] FROM scratch',
      '[app 2/5] ARG V=1',
      ...['[app 3/5] COPY src /app', '[app 3/5] DONE Ns', '[app 4/5] COPY a.txt /', '[app 4/5] DONE Ns'],
      '[app 5/5] ENV V=$V',
      '',
    ].join('\n'),
  )
  const second = await cli(['build', '-t', 'app:1', '--label', 'l=1', place.context], place)
  expect(second.stdout).toBe(first.stdout)
  expect(second.stderr.match(/CACHED/g)).toHaveLength(2)
  const config = JSON.parse((await cli(['config', 'app:2'], place)).stdout)
  expect(config.config).toMatchObject({ Labels: { l: '1' }, Env: [expect.stringMatching(/^PATH=/), 'V=1'] })
  expect((await cli(['files', '-R', 'app:1'], place)).stdout).toMatch(/app\/x\.js/)
})

test('build --plan and --explain name the file that makes a step miss, and a plan builds nothing', async () => {
  using place = makePlace()
  const planned = await cli(['build', '--plan', '-t', 'app:1', place.context], place)
  expect(planned.stdout).toMatch(/5 steps, 0 cached, 1 to make, 1 that depend on it/)
  await expectNoImage(place.store)
  await cli(['build', '-t', 'app:1', place.context], place)
  writeFileSync(join(place.context, 'src/x.js'), 'other')
  const plan = await cli(['build', '--plan', '--explain', '-t', 'app:1', place.context], place)
  expect(plan.stdout).toMatch(/\[app 3\/5\] +COPY src \/app +make +src\/x\.js content differs/)
  expect(plan.stdout).toMatch(/file src\/x\.js: content differs/)
  const json = JSON.parse((await cli(['--json', 'build', '--plan', '-t', 'app:1', place.context], place)).stdout)
  expect(json).toMatchObject({ kind: 'build', version: 1, images: [{ steps: expect.anything() }] })
  const built = await cli(['build', '--explain', '-t', 'app:1', place.context], place)
  expect(built.stderr).toMatch(/COPY src \/app\n\[app 3\/5\] DONE .*\n {2}because: src\/x\.js content differs/)
  expect(built.stderr).toContain('  because: the layers below differ\n  layers below: value differs\n')
})

test('build --check prints what the rules find, with the ignore file of the context, and builds nothing', async () => {
  using place = makePlace('FROM scratch as one\nCOPY a.txt /\n')
  writeFileSync(join(place.context, '.dockerignore'), 'a.txt\n')
  const found = await cli(['build', '--check', '-t', 'app:1', place.context], place)
  expect(found.code).toBe(1)
  expect(found.stdout).toMatch(/^Dockerfile:1:\d+: warning FromAsCasing: .*\n/)
  expect(found.stdout).toMatch(/Dockerfile:2:1: warning CopyIgnoredFile/)
  await expectNoImage(place.store)
})

test('build takes arguments, targets, platforms and contexts', async () => {
  using place = makePlace('FROM scratch AS one\nARG V\nCOPY a.txt /$V\nFROM scratch\nCOPY --from=more x /\n')
  const configOf = async (name: string) => JSON.parse((await cli(['config', name], place)).stdout)
  const options = ['--target', 'one', '--build-arg', 'V=7', '--platform', 'linux/arm64', '--annotation', 'k=v']
  expect((await cli(['build', '-t', 'one:1', ...options, place.context], place)).code).toBe(0)
  expect((await cli(['files', 'one:1'], place)).stdout).toMatch(/ 7\n/)
  expect(await configOf('one:1')).toMatchObject({ architecture: 'arm64' })
  expect(JSON.parse((await cli(['manifest', 'one:1'], place)).stdout).annotations).toMatchObject({ k: 'v' })
  const env = { V: 'environment' }
  expect(
    (await cli(['build', '-t', 'one:2', '--target', 'one', '--build-arg', 'V', place.context], { ...place, env })).code,
  ).toBe(0)
  expect((await cli(['files', 'one:2'], place)).stdout).toMatch(/ environment\n/)
  writeFileSync(join(place.path, 'x'), 'in the other context')
  expect(
    (await cli(['build', '-t', 'two:1', '--build-context', `more=${place.path}`, place.context], place)).code,
  ).toBe(0)
  expect((await cli(['cat', 'two:1', '/x'], place)).stdout).toBe('in the other context')
  const two = ['--platform', 'linux/amd64,linux/arm64', '--target', 'one']
  expect((await cli(['build', '-t', 'both:1', ...two, place.context], place)).code).toBe(0)
  expect(JSON.parse((await cli(['--json', 'inspect', 'both:1'], place)).stdout)).toMatchObject({ kind: 'index' })
})

test('build takes the Dockerfile from stdin, and the context as an archive', async () => {
  using place = makePlace()
  const other = Readable.from([Buffer.from('FROM scratch\nCOPY a.txt /from-stdin\n')])
  expect((await cli(['build', '-t', 'a:1', '-f', '-', place.context], { ...place, stdin: other })).code).toBe(0)
  expect((await cli(['files', 'a:1'], place)).stdout).toMatch(/from-stdin/)
  await using context = await openContext(place.context)
  const tar = await cli(['build', '-t', 'a:2', '-'], { ...place, stdin: contextTar(context) })
  const same = await cli(['build', '-t', 'a:3', place.context], place)
  expect(tar).toMatchObject({ code: 0, stdout: same.stdout })
  expect((await cli(['build', '-f', '-', '-'], { ...place, stdin: other })).code).toBe(2)
})

test('build --platform local builds for Linux on this machine', async () => {
  using place = makePlace()
  const plain = await cli(['build', '-t', 'a:1', place.context], place)
  const local = await cli(['build', '-t', 'a:2', '--platform', 'local', place.context], place)
  expect(local).toMatchObject({ code: 0, stdout: plain.stdout })
})

test('build - takes a Dockerfile alone, as docker build - does', async () => {
  using place = makePlace()
  const build = (text: string, ...args: string[]) =>
    cli(['build', ...args, '-'], { ...place, stdin: Readable.from([Buffer.from(text)]) })
  const text = 'FROM scratch\nCOPY <<EOF /hello\nhi\nEOF\n'
  expect((await build(text, '-t', 'a:1')).code).toBe(0)
  expect((await cli(['cat', 'a:1', '/hello'], place)).stdout).toBe('hi\n')
  expect((await build(`${text}${'# long\n'.repeat(200)}`, '-t', 'a:2')).code).toBe(0)
  expect(await build('FROM scratch\nCOPY a.txt /\n')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('"a.txt" is not in the build context'),
  })
  const named = await build(text, '-f', 'Dockerfile')
  expect(named).toMatchObject({ code: 2, stderr: expect.stringContaining('stdin is no archive') })
  expect(await build('')).toMatchObject({ code: 2, stderr: expect.stringContaining('no Dockerfile in the archive') })
  expect((await build('FROM\0scratch')).stderr).toContain('not a tar archive')
})

test('build writes the digest, metadata, an archive and the files, and keeps the cache elsewhere', async () => {
  using place = makePlace()
  const at = (name: string) => join(place.path, name)
  const outputs = [
    '--iidfile',
    at('iid'),
    '--metadata-file',
    at('meta.json'),
    '-o',
    at('rootfs'),
    '-o',
    `type=docker,dest=${at('app.tar')}`,
  ]
  const built = await cli(['build', '-t', 'app:1', ...outputs, '--cache-to', at('cache'), place.context], place)
  expect(built.code).toBe(0)
  expect(readFileSync(at('iid'), 'utf8')).toBe(built.stdout.trim())
  expect(JSON.parse(readFileSync(at('meta.json'), 'utf8'))).toMatchObject({
    'containerimage.digest': built.stdout.trim(),
    'image.name': 'app:1',
  })
  expect(readFileSync(at('rootfs/app/x.js'), 'utf8')).toBe('x')
  expect(existsSync(at('app.tar'))).toBe(true)
  const elsewhere = { store: at('second-store') }
  const again = await cli(['build', '-t', 'app:1', '--cache-from', at('cache'), place.context], elsewhere)
  expect(again.stderr.match(/CACHED/g)).toHaveLength(2)
  expect(again.stdout).toBe(built.stdout)
})

test.each(['--iidfile', '--metadata-file'])('a file of %s that cannot be written is a typed error', async option => {
  using place = makePlace()
  const file = join(place.path, 'none', 'file')
  const { code, stderr } = await cli(['build', '-t', 'app:1', option, file, place.context, '--quiet'], place)
  expect(code).toBe(1)
  const digest = (await cli(['digest', 'app:1'], place)).stdout.trim()
  expect(digest).toMatch(/^sha256:/)
  const fault = `layerstore: cannot write to ${option} ${JSON.stringify(file)} (ENOENT)`
  expect(stderr).toBe(`${fault}; the image ${digest} is in the store (ERR_OUTPUT)\n`)
})

test('build keeps the cache in a registry, and says of a cache that is not there', async () => {
  using place = makePlace()
  await using remote = createMemoryStore()
  await using server = await serveStore(remote)
  const reference = `${server.host}/team/cache:app`
  const first = await cli(['build', '--cache-to', reference, place.context], place)
  expect(first.code).toBe(0)
  const elsewhere = { store: join(place.path, 'second-store') }
  const from = ['--cache-from', `type=registry,ref=${reference}`, '--cache-from', join(place.path, 'none')]
  const plan = await cli(['build', '--plan', ...from, place.context], elsewhere)
  expect(plan.stdout).toMatch(/2 cached, 0 to make/)
  expect(plan.stderr).toMatch(/^warning: the cache of .*none was not imported: .*ERR_STORE_NOT_FOUND/)
  const second = await cli(['build', ...from, '--build-arg', 'X=1', place.context], elsewhere)
  expect(second).toMatchObject({ code: 0, stdout: first.stdout })
  expect(second.stderr.match(/CACHED/g)).toHaveLength(2)
  expect(second.stderr).toMatch(/^warning: the cache of .*none was not imported/)
  expect(second.stderr).toMatch(/^warning: build arguments were not consumed, because no ARG declares them: X$/m)
})

test('build names the platform of each step among several, and reports pushes, archives and fetched layers', async () => {
  await using remote = createMemoryStore()
  await using server = await serveStore(remote)
  const base = `${server.host}/team/base:1`
  using first = makePlace()
  expect((await cli(['build', '-t', base, '--push', first.context], first)).stderr).toMatch(
    new RegExp(`^\\[push\\] ${base}\n\\[push\\] ${base} {2}DONE \\d+\\.\\ds$`, 'm'),
  )
  using place = makePlace(`FROM ${base} AS app\nCOPY a.txt /two/\n`)
  const options = ['--platform', 'linux/amd64,linux/arm64', '-o', `type=oci,dest=${join(place.path, 'o.tar')}`]
  const { code, stderr } = await cli(['build', ...options, place.context], place)
  expect(code).toBe(0)
  expect(stderr).toMatch(/^\[linux\/amd64 app 2\/2\] COPY a\.txt \/two\/$/m)
  expect(stderr).toMatch(/^\[linux\/arm64 app 2\/2\] (?:CACHED|DONE .*)$/m)
  expect(stderr).toMatch(/^\[fetch\] sha256:\w{12} \d+B\n/m)
  expect(stderr).toMatch(/^\[fetch\] sha256:\w{12} \d+B {2}DONE/m)
  expect(stderr).toMatch(/^\[archive\] .*o\.tar {2}DONE/m)
  const tty = await cli(['build', ...options, '--no-cache', place.context], { ...place, tty: true })
  expect(tty.stderr).toMatch(/\[linux\/arm64 app 2\/2\] COPY a\.txt \/two\/ {2}(?:CACHED|\d+\.\ds)\n/)
  expect(tty.stderr).toMatch(/\[archive\] .*o\.tar {2}DONE \d+\.\ds\n/)
})

test('build finds a Containerfile, also in an archive, if there is no Dockerfile', async () => {
  using place = makePlace()
  renameSync(join(place.context, 'Dockerfile'), join(place.context, 'Containerfile'))
  const run = await cli(['build', '-t', 'app:1', place.context], place)
  expect(run.code).toBe(0)
  await using context = await openContext(place.context)
  const piped = await cli(['build', '-'], { ...place, stdin: contextTar(context) })
  expect(piped).toMatchObject({ code: 0, stdout: run.stdout })
  writeFileSync(join(place.context, 'Dockerfile'), 'FROM scratch\nLABEL own=1\n')
  expect((await cli(['build', place.context], place)).stdout).not.toBe(run.stdout)
  const none = await cli(['build', join(place.context, 'src')], place)
  expect(none).toMatchObject({ code: 2, stderr: expect.stringMatching(/no Dockerfile in .*src; name it with -f FILE/) })
})

test('build says that -f is relative to the current directory if the context has such a file', async () => {
  using place = makePlace()
  renameSync(join(place.context, 'Dockerfile'), join(place.context, 'Other.Dockerfile'))
  const { code, stderr } = await cli(['build', place.context, '-f', 'Other.Dockerfile'], place)
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('relative to the current directory') })
  expect(stderr).toContain(`name it with -f ${join(place.context, 'Other.Dockerfile')} (ERR_USAGE)`)
})

test('build puts annotations where docker puts them: manifest, index, descriptor, one platform', async () => {
  using place = makePlace()
  const given = [
    ...['a=1', 'manifest[linux/arm64]:b=2', 'index,manifest-descriptor:c:d=3', 'index:e', 'x:y=z'],
    'index-descriptor:f=4',
  ]
  const options = ['--platform', 'linux/amd64,linux/arm64', ...given.flatMap(one => ['--annotation', one])]
  expect((await cli(['build', '-t', 'app:1', ...options, place.context], place)).code).toBe(0)
  const index = JSON.parse((await cli(['manifest', 'app:1'], place)).stdout)
  expect(index.annotations).toEqual({ 'c:d': '3', e: '' })
  const manifests = []
  for (const { digest, annotations } of index.manifests) {
    expect(annotations).toEqual({ 'c:d': '3' })
    manifests.push(JSON.parse((await cli(['manifest', digest], place)).stdout).annotations)
  }
  expect(manifests).toEqual([
    { a: '1', 'x:y': 'z' },
    { a: '1', b: '2', 'x:y': 'z' },
  ])
  const { manifests: entries } = JSON.parse(readFileSync(join(place.store, 'index.json'), 'utf8'))
  expect(entries).toMatchObject([{ annotations: { f: '4' } }])
  for (const [annotation, code] of [
    ['index:a=1', 1],
    ['index-descriptor:a=1', 1],
    ['index-descriptor[linux/amd64]:a=1', 2],
    ['index[linux/amd64]:a=1', 2],
    ['=1', 2],
  ] as const) {
    expect((await cli(['build', '--annotation', annotation, place.context], place)).code).toBe(code)
  }
})

test('build fails for warnings if the Dockerfile asks for that, and builds nothing', async () => {
  using place = makePlace('# check=error=true\nFROM scratch as one\nCOPY a.txt /\nMAINTAINER me\n')
  const run = await cli(['build', '-t', 'app:1', place.context], place)
  expect(run.code).toBe(1)
  expect(run.stderr).toMatch(
    /> 2 \| FROM scratch as one\n.*\^\n.*there are 2 warnings: FromAsCasing \(line 2\): .*; MaintainerDepr.*\(ERR_DOCKERFILE_CHECK\)/s,
  )
  await expectNoImage(place.store)
  const skipped = ['--build-arg', 'BUILDKIT_DOCKERFILE_CHECK=skip=all;error=true']
  expect((await cli(['build', ...skipped, place.context], place)).code).toBe(0)
})

test('build runs the steps of some stages again, and takes the flags of scripts for docker', async () => {
  using place = makePlace('FROM scratch AS one\nCOPY a.txt /\nFROM scratch\nCOPY --from=one a.txt /b\nCOPY src /\n')
  const outcomes = async (...options: string[]) => {
    const { code, stderr } = await cli(['build', ...options, place.context], place)
    return { code, cached: stderr.match(/CACHED/g)?.length ?? 0, done: stderr.match(/DONE/g)?.length ?? 0 }
  }
  expect(await outcomes('--load', '--provenance=false', '--sbom', 'false')).toEqual({ code: 0, cached: 0, done: 3 })
  expect(await outcomes('--no-cache-filter', 'One')).toEqual({ code: 0, cached: 2, done: 1 })
  expect(await outcomes('--no-cache-filter', 'one,stage-1')).toMatchObject({ code: 0, done: 1 })
  const refused = await cli(['build', '--provenance', place.context], place)
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('--provenance=true') })
})

test('build shows running steps on a terminal, JSON lines to tools, and nothing with --quiet', async () => {
  using place = makePlace()
  const json = await cli(['build', '--progress', 'json', place.context], place)
  const events = json.stderr
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  expect(events.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['step-started', 'step-finished']))
  const tty = await cli(['build', '--no-cache', place.context], { ...place, tty: true })
  expect(tty.stderr).toMatch(/\[app 3\/5\] COPY src \/app {2}\d+\.\ds\n/)
  expect((await cli(['-q', 'build', place.context], place)).stderr).toBe('')
  expect((await cli(['build', '--progress', 'loud', place.context], place)).code).toBe(2)
})

test.each([
  ['a missing source', 'FROM scratch\nCOPY none /\n', [], 1, />.*2 \| COPY none \/\n.*ERR_BUILD_SOURCE_NOT_FOUND/],
  [
    'an owner that is unknown',
    'FROM scratch\nCOPY --chown=x a.txt /\n',
    [],
    1,
    />.*2 \|.*\n.*\(Dockerfile:2:1\) \(ERR_BUILD_UNKNOWN_ACCOUNT/,
  ],
  [
    'a mistake in the Dockerfile',
    'FROM scratch\nCOPPY a /\n',
    [],
    1,
    /2 \| COPPY a .*Dockerfile:2:1.*ERR_DOCKERFILE_SYNTAX/s,
  ],
  [
    'a platform that does not exist',
    undefined,
    ['--platform', 'zz'],
    1,
    /known are those such as linux\/amd64.*ERR_INV/,
  ],
  [
    'a base that nobody has',
    'FROM 127.0.0.1:1/none:1\n',
    [],
    1,
    /> 1 \| FROM 127.*\nlayerstore: FROM 127.*\(Dockerfile:1:1\).*\(ERR_BUILD_STEP\)/,
  ],
  ['an unknown target', 'FROM scratch\n', ['--target', 'none'], 1, /ERR_DOCKERFILE_STAGE/],
  ['no Dockerfile', undefined, ['-f', 'none/Dockerfile'], 2, /no Dockerfile/],
  ['a push without a name', undefined, ['--push'], 2, /-t NAME/],
  ['two outputs to stdout', undefined, ['-o', '-', '-o', 'type=oci'], 2, /only one --output can go to stdout/],
  ['an output to stdout beside --json', undefined, ['-o', '-', '--json'], 2, /^$/],
  ['an output without a type', undefined, ['-o', 'dest=x'], 2, /--output needs a type/],
  ['an output that is not known', undefined, ['-o', 'type=ftp,dest=x'], 2, /--output takes type=local, tar/],
  ['a field of an output that is not known', undefined, ['-o', 'type=tar,to=x'], 2, /--output takes type, dest, name/],
  ['an image without a name', undefined, ['-o', 'type=registry'], 2, /needs a name/],
  ['a context that is not known', undefined, ['--build-context', 'x=s3://y'], 2, /s3 is not supported/],
  ['a context that only bake has', undefined, ['--build-context', 'x=target:y'], 2, /target is not supported/],
  ['an invalid name', undefined, ['-t', 'Not Valid'], 1, /ERR_INVALID_REFERENCE/],
])('build ends with a clear error for %s, and stores no image', async (_, text, options, code, message) => {
  using place = makePlace(text)
  const run = await cli(['build', ...options, place.context], place)
  expect(run.code).toBe(code)
  expect(run.stderr).toMatch(message)
  await expectNoImage(place.store)
})

// The texts and the JSON are those that docker build prints for this file (Docker Engine 28.5, buildx 0.29).
test('build --call=targets lists the stages as docker does', async () => {
  const text = `# base the first

FROM --platform=linux/amd64 scratch AS base
# nothing
# deps installs  all
# deps other
FROM base AS Deps
#plain no space
FROM deps AS plain
# last outer
FROM \\
  # last inner
  $UNKNOWN AS last
`
  using place = makePlace(text)
  const table = await cli(['build', '--call=targets', place.context], place)
  expect(table).toMatchObject({ code: 0 })
  expect(table.stdout.split('\n')).toEqual([
    'TARGET           DESCRIPTION',
    'base             the first',
    'deps             installs  all',
    'plain            no space',
    'last (default)   outer',
    '',
  ])
  const at = (...lines: number[]) => ({ ranges: lines.map(line => ({ start: { line }, end: { line } })) })
  const listed = {
    targets: [
      { name: 'base', description: 'the first', base: 'scratch', platform: 'linux/amd64', location: at(3) },
      { name: 'deps', description: 'installs  all', base: 'base', location: at(7) },
      { name: 'plain', description: 'no space', base: 'deps', location: at(9) },
      { name: 'last', default: true, description: 'outer', base: '$UNKNOWN', location: at(11, 12, 13) },
    ],
    sources: [Buffer.from(text).toString('base64')],
  }
  for (const words of [['--call=targets,format=json'], ['--json', '--call', 'targets']]) {
    expect(JSON.parse((await cli(['build', ...words, place.context], place)).stdout)).toEqual(listed)
  }
  await expectNoImage(place.store)
})

test('build --call=outline prints what the target takes, as docker prints it', async () => {
  const text = [
    ...['# app is what runs', 'FROM scratch AS app', '# WHO it greets', 'ARG WHO=world', 'ARG NONE'],
    'RUN --mount=type=secret,id=tok,required=true --mount=type=ssh true',
  ].join('\n')
  using place = makePlace(text)
  const printed = await cli(['build', '--call=outline', '--build-arg', 'WHO=me', place.context], place)
  expect(printed).toMatchObject({ code: 0 })
  expect(printed.stdout.split('\n')).toEqual([
    ...['TARGET:      app', 'DESCRIPTION: is what runs', ''],
    ...['BUILD ARG   VALUE   DESCRIPTION', 'WHO         me      it greets', 'NONE', ''],
    ...['SECRET   REQUIRED', 'tok      true', ''],
    ...['SSH       REQUIRED', 'default', ''],
  ])
  const at = (line: number) => ({ ranges: [{ start: { line }, end: { line } }] })
  const json = await cli(['build', '--call=outline,format=json', place.context], place)
  expect(JSON.parse(json.stdout)).toEqual({
    name: 'app',
    description: 'is what runs',
    args: [
      { name: 'WHO', description: 'it greets', value: 'world', location: at(4) },
      { name: 'NONE', location: at(5) },
    ],
    secrets: [{ name: 'tok', required: true, location: at(6) }],
    ssh: [{ name: 'default', location: at(6) }],
    sources: [Buffer.from(text).toString('base64')],
  })
  await expectNoImage(place.store)
})

test('build --call=check is --check, and --call takes no other method or format', async () => {
  using place = makePlace('FROM scratch\nENV A b\n')
  const [checked, called] = [['--check'], ['--call=check']].map(words => cli(['build', ...words, place.context], place))
  expect(await called).toEqual(await checked)
  expect(await called).toMatchObject({ code: 1, stdout: expect.stringContaining('LegacyKeyValueFormat') })
  const json = await cli(['build', '--call=lint,format=json', place.context], place)
  expect(JSON.parse(json.stdout).findings).toContainEqual(expect.objectContaining({ rule: 'LegacyKeyValueFormat' }))
  for (const call of ['describe', 'targets,format=xml', '']) {
    const refused = await cli(['build', `--call=${call}`, place.context], place)
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('--call takes') })
  }
})

test('build --provenance and --sbom attest the image, in the spellings of docker', async () => {
  using place = makePlace()
  const build = (...args: string[]) => cli(['build', '-t', 'app:1', place.context, ...args], place)
  const attested = ['--provenance=mode=max,builder-id=urn:ci', '--sbom', '--build-arg', 'MY_TOKEN=canary-77']
  const { code, stderr, stdout } = await build(...attested)
  expect({ code, canary: stderr.includes('canary') || stdout.includes('canary') }).toEqual({ code: 0, canary: false })
  const read = async (type: string) =>
    JSON.parse((await cli(['sbom', 'app:1', '--existing', type], place)).stdout).predicate
  expect(await read('provenance')).toMatchObject({
    runDetails: { builder: { id: 'urn:ci' } },
    buildDefinition: { externalParameters: { request: { args: { 'build-arg:MY_TOKEN': 'xxxxx' } } } },
  })
  expect(await read('spdx')).toMatchObject({ spdxVersion: 'SPDX-2.3' })
  const listed = async (...args: string[]) => {
    await build(...args)
    return JSON.parse((await cli(['sbom', 'app:1', '--existing', '--json'], place)).stdout).length
  }
  expect(await listed('--provenance')).toBe(1)
  expect(await listed('--provenance=min,version=v1', '--sbom=true')).toBe(2)
  expect(await listed('--provenance=false', '--sbom=0')).toBe(0)
  expect((await build('--sbom=generator=x')).stderr).toContain('--sbom is true or false')
  expect((await build('--provenance=mode=huge')).stderr).toContain('--provenance takes mode=min|max')
})
