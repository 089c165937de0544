import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeFailure } from '../../lib/cli/failing/describe-failure.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { asStoreError } from '../../lib/disk-store/io-error.ts'
import { StoreError } from '../../lib/errors/index.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { startScriptedRegistry } from '../helpers/start-scripted-registry.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
let store: string
const at = (name: string) => join(directory.path, name)

beforeAll(async () => {
  directory = temporaryDirectory('cli-messages')
  store = at('store')
  await using opened = await openStore(store, { durability: 'none' })
  await sampleImage(opened, [{ 'app/a': 'a' }], { name: 'demo:debug' })
  mkdirSync(at('small'))
  mkdirSync(at('full'))
  for (const name of ['file', 'full/file']) writeFileSync(at(name), 'no tar, no JSON, no PEM')
})
afterAll(() => directory[Symbol.dispose]())

const run = (...args: string[]) =>
  cli(
    args.map(word => word.replace(/^@/, `${directory.path}/`)),
    { store },
  )

/** What a wrong command line answers: the whole line without the program's name. */
async function message(...args: string[]): Promise<string> {
  const { stderr, stdout } = await run(...args)
  expect(stdout).toBe('')
  return stderr
    .replaceAll(directory.path, '@')
    .replace(/^layerstore: /, '')
    .trimEnd()
}

describe('a message names the thing and the way out', () => {
  test.each([
    [['load', '-i', '@file'], '"@/file" is not a tar archive (ERR_INVALID_TAR)'],
    [['load', '-i', '@small'], '"@/small" is a directory, not an archive file (EISDIR) (ERR_STORE_IO)'],
    [['load', '-i', '@gone'], 'no such file: "@/gone" (ERR_SOURCE_NOT_FOUND)'],
    [['load', '-i', ''], 'the file of --input is empty (ERR_USAGE)'],
    [['import', '@file', '-t', 'x'], '"@/file" is not a tar archive (ERR_INVALID_TAR)'],
    [['import', '', '-t', 'x'], 'the name of the tar is empty (ERR_USAGE)'],
    [['copy', 'oci-archive:@file', 'store:x'], null],
    [['images', '--store', ''], 'the name of the store or layout is empty (ERR_USAGE)'],
    [
      ['pull', '127.0.0.1:1/a', '--store', '@file'],
      'cannot open the store @/file: it, or a part of its path, is not a directory (ENOTDIR) (ERR_STORE_IO)',
    ],
    [['append', 'scratch', '-t', 'x', '--dir', '@small:app'], '--dir: "app" must begin with / (DIR:/at) (ERR_USAGE)'],
    [
      ['append', 'scratch', '-t', 'x', '--dir', '@file'],
      '--dir: "@/file" is a file; --dir takes directories, --file takes files (ERR_USAGE)',
    ],
    [['append', 'scratch', '-t', 'x', '--file', '@gone'], '--file: no such file: "@/gone" (ERR_SOURCE_NOT_FOUND)'],
    [['append', 'scratch', '-t', 'x', '--ignore-file', '@small'], null],
    [['gc', '--keep-last', 'x'], '--keep-last takes a whole number, such as 3; got "x" (ERR_USAGE)'],
    [['gc', '--max-age', '3'], '--max-age takes a time with a unit, such as 30d, 12h or 90m; got "3" (ERR_USAGE)'],
    [['gc', '--max-bytes', 'x'], '--max-bytes takes a size, such as 10GB, 512MiB or 1000000; got "x" (ERR_USAGE)'],
    [['gc', '--grace', '1s'], expect.stringMatching(/^--grace 1s could remove .* add --force .*\(ERR_USAGE\)$/)],
    [['images', '--jobs', 'x'], '--jobs takes a whole number from 1 to 64; got "x" (ERR_USAGE)'],
    [
      ['rm', 'nokeep'],
      'no image or container named nokeep in the store; "layerstore images" lists the names, "layerstore containers" the ids (ERR_REFERENCE_NOT_FOUND)',
    ],
    [['pull', ''], 'not an image reference: "": it is empty (ERR_INVALID_REFERENCE)'],
    [['inspect', 'sha256:abc'], 'not a digest: "sha256:abc" (ERR_INVALID_DIGEST)'],
    [['copy', 'dir:/tmp/x', 'store:x'], 'dir: is not there; use oci:DIR[:TAG] (ERR_USAGE)'],
    [['copy', 'store:demo:debug', 'docker-daemon:x'], expect.stringMatching(/docker-archive:FILE with "docker save"/)],
    [
      ['unpack', 'demo:debug', '@full'],
      expect.stringMatching(/"@\/full"; .* add --overwrite \(ERR_TARGET_NOT_EMPTY\)$/),
    ],
    [['unpack', 'demo:debug', '@file'], expect.stringMatching(/"@\/file"; choose another directory \(ERR_TARGET/)],
    [
      ['cat', 'demo:debug', '/b'],
      expect.stringMatching(/"\/b"; "layerstore files NAME" lists .*\(ERR_PATH_NOT_FOUND\)$/),
    ],
    [
      ['serve', '--htpasswd', '@file'],
      '--htpasswd "@/file": line 1 is not a user and a bcrypt hash (htpasswd -B) (ERR_USAGE)',
    ],
    [
      ['bench', 'gone'],
      'no image named gone in the store @/store; nor is there a file or directory of that name; "layerstore images" lists the names; for an image in a registry write docker://gone (ERR_REFERENCE_NOT_FOUND)',
    ],
    [['bench', '@gone'], 'no such file or directory: "@/gone" (ERR_SOURCE_NOT_FOUND)'],
    [['completion'], "missing required argument 'shell'; give bash, zsh or fish (ERR_USAGE)"],
    [
      ['serve', '--listen', '127.0.0.1:99999'],
      '--listen takes HOST:PORT or PORT, from 0 to 65535; got "127.0.0.1:99999" (ERR_USAGE)',
    ],
    [['--store'], `option '--store <dir>' argument missing; see "layerstore --help" (ERR_USAGE)`],
    [['--jobs'], `option '-j, --jobs <n>' argument missing; see "layerstore --help" (ERR_USAGE)`],
    [
      ['serve', '--redirects'],
      '--redirects needs a store in a bucket, --store s3://BUCKET/PREFIX: a directory has no addresses that clients could be sent to (ERR_USAGE)',
    ],
    [['serve', '--port', '5000'], "unknown option '--port'; use --listen 127.0.0.1:PORT (ERR_USAGE)"],
    [
      ['append', 'scratch', '-t', 'x', '--expose', '70000'],
      '--expose takes PORT or PORT/udp, up to 65535; got "70000" (ERR_USAGE)',
    ],
    [
      ['analyze', 'demo:debug', '--html', '@gone/x.html'],
      'cannot write to --html "@/gone/x.html" (ENOENT); create its directory first (ERR_OUTPUT)',
    ],
    [
      ['analyze', 'demo:debug', '--dive-json', '@small'],
      'cannot write to --dive-json "@/small" (EISDIR); it is a directory, name a file (ERR_OUTPUT)',
    ],
    [
      ['save', 'demo:debug', '-o', '@gone/x.tar'],
      'cannot write archive "@/gone/x.tar" (ENOENT): its directory does not exist (ERR_STORE_IO)',
    ],
    [
      ['build', '@gone'],
      'no such directory for the build context: "@/gone"; give a directory, an archive, an address, or - for stdin (ERR_SOURCE_NOT_FOUND)',
    ],
    ...[
      ['build', '@small', '--output', ''],
      ['build', '@small', '-o', ''],
      ['build', '@small', '--cache-to', ''],
    ].map(words => [words, `the place of ${words[2] === '-o' ? '--output' : words[2]} is empty (ERR_USAGE)`] as const),
    ...[
      ['build', '@small', '--iidfile', ''],
      ['build', '@small', '--metadata-file', ''],
      ['build', '@small', '--lock', ''],
      ['export', 'demo:debug', '--output', ''],
      ['save', 'demo:debug', '--output', ''],
      ['analyze', 'demo:debug', '--html', ''],
      ['analyze', 'demo:debug', '--dive-json', ''],
      ['bench', 'demo:debug', '--svg', ''],
    ].map(words => [words, `the file of ${words[2]} is empty (ERR_USAGE)`] as const),
    [['generate-key-pair', '--output-key-prefix', ''], 'the path of --output-key-prefix is empty (ERR_USAGE)'],
    [['pull', '--from-plan', '@gone'], '--from-plan: no such file: "@/gone" (ERR_SOURCE_NOT_FOUND)'],
  ] as const)('%j: %s', async (args, text) => {
    const words = args.map(word => word.replace(':@', `:${directory.path}/`))
    const found = await message(...words)
    expect(found).toMatch(/ \(ERR_[A-Z_]+\)$/)
    expect(found).not.toMatch(/undefined|null|\[object|Error:| {2}/)
    if (text !== null) expect(found).toEqual(text)
  })

  test('a host that DNS does not know is said to be that, and a name in the store is recognised', async () => {
    expect(await message('pull', 'no.invalid/a')).toMatch(
      /^(host no\.invalid not found \(DNS\)|the name server did not).*; check the name and the network, or use --mirror or --proxy \(ERR_NETWORK\)$/,
    )
    // The proxy that does not exist keeps the request on this machine.
    expect(await message('copy', 'demo:debug', '127.0.0.1:1/x', '--proxy', 'http://127.0.0.1:1')).toMatch(
      /; for the image in the store write store:demo:debug \(ERR_NETWORK\)$/,
    )
  })

  test('another platform than that of a single image is an error for every command that takes one', async () => {
    for (const args of [
      ['inspect'],
      ['manifest'],
      ['config'],
      ['digest'],
      ['files'],
      ['cat', '/app/a'],
      ['unpack', '@out'],
    ]) {
      const [command, ...rest] = args as [string, ...string[]]
      const found = await message(command, 'demo:debug', ...rest, '--platform', 'linux/s390x')
      expect(found).toMatch(/^no image for platform linux\/s390x in sha256:.*linux\/amd64.*\(ERR_PLATFORM_NOT_FOUND\)$/)
    }
  })

  test('a store that this user may only read is named', () => {
    const refused = Object.assign(new Error('EACCES'), { code: 'EACCES', syscall: 'open' })
    const error = asStoreError({ act: 'lock', path: 'index.json', writes: true }, refused)
    const { signal } = new AbortController()
    expect(describeFailure(error, { signal, stores: ['/var/images'] }).message).toBe(
      'the store is read-only for this user: may not lock index.json (EACCES), in the store /var/images',
    )
  })

  test('a full disk is named with what makes room', () => {
    const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write' })
    const error = asStoreError({ act: 'write', path: 'blobs/sha256/00', writes: true }, full)
    expect(describeFailure(error, { signal: new AbortController().signal, stores: ['/var/images'] }).message).toBe(
      'could not write blobs/sha256/00 (ENOSPC), in the store /var/images; make room, e.g. with "layerstore gc", and repeat',
    )
  })

  test('a full disk below a blob of known size is named with the store', () => {
    const text = 'no room for a blob: 2000 bytes are needed, 10 are free (ENOSPC)'
    const error = new StoreError('ERR_STORE_IO', text, { errno: 'ENOSPC' })
    expect(describeFailure(error, { signal: new AbortController().signal, stores: ['/var/images'] }).message).toBe(
      `${text}, in the store /var/images; make room, e.g. with "layerstore gc", and repeat`,
    )
  })

  test('a source that the context lacks is named with the place where paths begin', async () => {
    writeFileSync(at('small/Dockerfile'), 'FROM scratch\nCOPY gone /x\n')
    const { stderr } = await run('build', '@small')
    expect(stderr).toMatch(
      /: "gone" is not in the build context \(Dockerfile:2:1\); its paths begin at the directory that "build" names, .*\(ERR_BUILD_SOURCE_NOT_FOUND\)$/m,
    )
  })

  test('a collection with nothing to do says how much is in use', async () => {
    expect((await run('gc', '-n', '--grace', '1h')).stdout).toMatch(
      /^nothing to remove \(\d+ blobs, \S+B (in use|kept.*)\)\n$/,
    )
  })

  test('a directory that cannot be written is named', async () => {
    mkdirSync(at('closed'), { mode: 0o555 })
    const found = await message('save', 'demo:debug', '-o', '@closed/no/x.tar')
    chmodSync(at('closed'), 0o755)
    expect(found).toContain('@/closed/no')
  })
})

describe('a registry that refuses', () => {
  const json = (response: ServerResponse, status: number, headers: Record<string, string> = {}) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end('{}')
  const html = (response: ServerResponse, status: number) =>
    response.writeHead(status, { 'content-type': 'text/html' }).end('<html>')

  test.each<[string, (request: IncomingMessage, response: ServerResponse) => unknown, RegExp]>([
    ['401', (_, response) => json(response, 401), /no valid login \(401\).*layerstore login.*\(ERR_UNAUTHORIZED\)$/],
    ['403', (_, response) => json(response, 403), /not allowed \(403\).*check the name.*\(ERR_UNAUTHORIZED\)$/],
    [
      '404',
      (_, response) => json(response, 404),
      /"layerstore tags 127\.0\.0\.1:\d+\/app" lists.*\(ERR_MANIFEST_NOT_FOUND\)$/,
    ],
    [
      '429',
      (_, response) => json(response, 429, { 'retry-after': '4000' }),
      /try again in 4000 s.*--mirror.*\(ERR_RATE_LIMITED\)$/,
    ],
    ['501', (_, response) => json(response, 501), /registry failed \(501\).*\(ERR_REGISTRY\)$/],
    ['400', (_, response) => json(response, 400), /registry refused the request \(400\).*\(ERR_REGISTRY\)$/],
    ['a web page', (_, response) => html(response, 200), /not a registry.*\(ERR_PROTOCOL\)$/],
    [
      'another protocol',
      request => request.socket.end('SSH-2.0-x\r\n'),
      /not valid HTTP.*--tls-verify=true.*\(ERR_PROTOCOL\)$/,
    ],
  ])('%s', async (_, answer, text) => {
    await using registry = await startScriptedRegistry(answer)
    const found = await message('pull', `${registry.host}/app:1`)
    expect(found).toContain(registry.host)
    expect(found).toMatch(text)
  })
})
