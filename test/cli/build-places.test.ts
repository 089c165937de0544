import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../lib/store/index.ts'
import { readTar, writeTar } from '../../lib/tar/index.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { readAll } from '../helpers/read-all.ts'
import { cli } from '../helpers/run-cli.ts'
import { makeRepository, serveGit } from '../helpers/serve-git.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
let place: { store: string }
let context: string
beforeEach(() => {
  directory = temporaryDirectory('places')
  context = join(directory.path, 'context')
  mkdirSync(context)
  writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY a.txt /\n')
  writeFileSync(join(context, 'a.txt'), 'a')
  place = { store: join(directory.path, 'store') }
})
afterEach(() => directory[Symbol.dispose]())

const at = (name: string) => join(directory.path, name)

async function namesIn(tar: Uint8Array): Promise<string[]> {
  const names: string[] = []
  for await (const { path } of readTar([tar])) names.push(path)
  return names
}

describe('--output', () => {
  test('writes files, tar archives, layouts and docker archives, each as docker names it', async () => {
    const outputs = [
      'out',
      'type=local,dest=OUT2',
      'type=tar,dest=F.tar',
      'type=oci,dest=O.tar',
      'type=docker,dest=D.tar',
    ]
    const options = outputs.flatMap(output => ['-o', output.replace(/^(.*=)?([\w.]+)$/, `$1${at('$2')}`)])
    const { code, stdout } = await cli(['build', '-t', 'app:1', ...options, context], place)
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^sha256:/) })
    for (const name of ['out', 'OUT2']) expect(readFileSync(join(at(name), 'a.txt'), 'utf8')).toBe('a')
    expect(await namesIn(readFileSync(at('F.tar')))).toEqual(['a.txt'])
    expect(await namesIn(readFileSync(at('O.tar')))).toContain('oci-layout')
    expect(await namesIn(readFileSync(at('D.tar')))).toContain('manifest.json')
    const again = await cli(['build', '-o', at('out'), context], place)
    expect(again.code).toBe(0)
  })

  test('writes to stdout, where the digest then is not', async () => {
    const bytes: Buffer[] = []
    const stdin = Readable.from([Buffer.from('FROM scratch\nCOPY a.txt /x/\n')])
    const onBytes = (chunk: Uint8Array) => void bytes.push(Buffer.from(chunk))
    const run = await cli(['build', '-f', '-', '-o', '-', context], { ...place, stdin, onBytes })
    expect(run.code).toBe(0)
    expect(run.stderr).toMatch(/^sha256:[0-9a-f]{64}$/m)
    expect(await namesIn(Buffer.concat(bytes))).toEqual(['x', 'x/a.txt'])
    const terminal = await cli(['build', '-o', 'type=tar', context], { ...place, tty: true })
    expect(terminal).toMatchObject({ code: 2, stderr: expect.stringContaining('not written to a terminal') })
  })

  test('names, pushes, compresses and annotates images', async () => {
    await using remote = createMemoryStore()
    await using server = await serveStore(remote)
    const name = `${server.host}/team/app:1`
    const fields = `type=registry,name=${name},compression=uncompressed,annotation.org.Example=x`
    expect(await cli(['build', '-o', fields, context], place)).toMatchObject({ code: 0 })
    const manifest = JSON.parse((await cli(['manifest', `docker://${name}`], place)).stdout)
    expect(manifest.annotations).toMatchObject({ 'org.Example': 'x' })
    expect(manifest.layers[0].mediaType).toMatch(/\.tar$/)
    const image = await cli(['build', '-t', 'local:1', '-o', 'type=image', '-o', 'type=docker', context], place)
    expect(image.code).toBe(0)
    expect((await cli(['build', '-o', 'type=cacheonly', context], place)).code).toBe(0)
  })
})

describe('--build-context', () => {
  test('takes an image layout, by tag and by digest', async () => {
    const other = { store: at('layout') }
    writeFileSync(join(context, 'base.Dockerfile'), 'FROM scratch\nCOPY a.txt /base\nENV FROM_BASE=1\n')
    const base = await cli(['build', '-t', 'v1', '-f', join(context, 'base.Dockerfile'), context], other)
    expect(base.code).toBe(0)
    writeFileSync(join(context, 'Dockerfile'), 'FROM base\nCOPY --from=more base /more\n')
    for (const layout of [at('layout'), `${at('layout')}:v1`, `${at('layout')}@${base.stdout.trim()}`]) {
      const named = ['base', 'more'].flatMap(name => ['--build-context', `${name}=oci-layout://${layout}`])
      const run = await cli(['build', '-t', 'app:1', ...named, context], place)
      expect(run).toMatchObject({ code: 0 })
      expect((await cli(['cat', 'app:1', '/more'], place)).stdout).toBe('a')
      expect((await cli(['config', 'app:1'], place)).stdout).toContain('FROM_BASE=1')
    }
    const missing = await cli(['build', '--build-context', `base=oci-layout://${at('none')}`, context], place)
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringMatching(/Dockerfile:1:1/) })
  })

  test('takes an archive at an address; the context itself may be one, or a Dockerfile', async () => {
    const text = (content: string) => ({ type: 'file', content: Buffer.from(content) }) as const
    const archive = await readAll(
      writeTar([
        { path: 'Dockerfile', ...text('FROM scratch\nCOPY --from=other x /\nCOPY y /\n') },
        { path: 'y', ...text('y') },
      ]),
    )
    const files: Record<string, Uint8Array> = {
      '/context.tar': archive,
      '/other.tar': await readAll(writeTar([{ path: 'x', ...text('x') }])),
      '/web.Dockerfile': Buffer.from('FROM scratch\nLABEL from=address\n'),
    }
    const server = createServer((request, response) => response.end(files[request.url!]))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    try {
      const named = ['--build-context', `other=${url}/other.tar`]
      expect((await cli(['build', '-t', 'app:1', ...named, `${url}/context.tar`], place)).code).toBe(0)
      expect((await cli(['files', 'app:1'], place)).stdout).toMatch(/ x\n.* y\n/)
      expect((await cli(['build', '-t', 'web:1', `${url}/web.Dockerfile`], place)).code).toBe(0)
      expect((await cli(['config', 'web:1'], place)).stdout).toContain('address')
      const piped = Readable.from([Buffer.from('FROM scratch\nCOPY y /piped\n')])
      const mixed = await cli(['build', '-t', 'p:1', '-f', '-', `${url}/context.tar`], { ...place, stdin: piped })
      expect(mixed.code).toBe(0)
    } finally {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    }
  })

  test.runIf(needsProgram('git'))('takes a repository; the context itself may be one', async () => {
    makeRepository(directory.path, 'app', {
      'docker/Dockerfile': 'FROM scratch\nCOPY f /\nCOPY --from=r docker/f /r\n',
      'docker/f': 'f',
    })
    await using server = await serveGit(directory.path)
    const address = `${server.url}/app.git`
    const run = await cli(
      ['build', '-t', 'app:1', '--build-context', `r=${address}#main`, `${address}#main:docker`],
      place,
    )
    expect(run).toMatchObject({ code: 0 })
    expect((await cli(['cat', 'app:1', '/r'], place)).stdout).toBe('f')
    const missing = await cli(['build', `${address}#none`], place)
    expect(missing).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/no branch or tag "none".*ERR_BUILD_FETCH/),
    })
    expect(existsSync(join(process.cwd(), 'http:'))).toBe(false)
  })
})
