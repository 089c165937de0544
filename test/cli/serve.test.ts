import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { composeImage } from '../../lib/image/index.ts'
import { writeLayer } from '../../lib/layer/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { httpRequest } from '../helpers/http-request.ts'
import { type CliRun, cli } from '../helpers/run-cli.ts'
import { selfSignedCertificate } from '../helpers/self-signed-certificate.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { startScriptedRegistry } from '../helpers/start-scripted-registry.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
let store: string
beforeEach(() => {
  directory = temporaryDirectory('serve')
  store = join(directory.path, 'store')
})
afterEach(() => directory[Symbol.dispose]())

const file = (name: string, text: string) => {
  const path = join(directory.path, name)
  writeFileSync(path, text)
  return path
}

/** Runs `serve` while `work` runs; resolves to its outcome after it was stopped. */
async function serving(args: readonly string[], work: (url: string) => Promise<void>): Promise<CliRun> {
  const stop = new AbortController()
  let listening!: (url: string) => void
  const url = new Promise<string>(resolve => {
    listening = resolve
  })
  const onStdout = (text: string) => {
    const { url } = text.endsWith('\n') ? JSON.parse(text) : {}
    if (url) listening(url)
  }
  const run = cli(['serve', '--json', '--listen', '127.0.0.1:0', ...args], { store, signal: stop.signal, onStdout })
  try {
    await work(await Promise.race([url, run.then(failed => Promise.reject(new Error(failed.stdout)))]))
  } finally {
    stop.abort()
  }
  return run
}

describe('serve', () => {
  test('offers the store until it is stopped, and ends well', async () => {
    const { code } = await serving([], async url => {
      expect((await httpRequest(url, 'GET', '/v2/')).status).toBe(200)
      expect((await httpRequest(url, 'POST', '/v2/app/blobs/uploads/')).status).toBe(202)
    })
    expect(code).toBe(0)
  })

  test('with --ui serves pages about the images beside the registry, and says where', async () => {
    await using opened = await openStore(store)
    const layer = await writeLayer(opened, [{ path: 'app/one', type: 'file', content: 'one' }])
    await opened.references.set('app:1', (await composeImage(opened, { layers: [layer] })).descriptor)
    const { stdout } = await serving(['--ui'], async url => {
      const list = await httpRequest(url, 'GET', '/')
      expect(list.headers['content-type']).toBe('text/html; charset=utf-8')
      expect(list.body.toString()).toContain('"name":"app:1"')
      expect((await httpRequest(url, 'GET', '/report?image=app:1')).status).toBe(200)
      expect((await httpRequest(url, 'GET', '/v2/_catalog')).body.toString()).toBe('{"repositories":["app"]}')
    })
    const { url, ui } = JSON.parse(stdout)
    expect(ui).toBe(`${url}/`)
  })

  test('with --read-only refuses pushes', async () => {
    await serving(['--read-only'], async url => {
      expect((await httpRequest(url, 'POST', '/v2/app/blobs/uploads/')).status).toBe(405)
    })
  })

  test('with --htpasswd admits the users in the file', async () => {
    const users = file('users', 'ann:$2y$05$Ad1LUlOTkC63mhty4f0p4e1vGqriLPU7LoM70zb4ht5OyhfqSXffq\n')
    await serving(['--htpasswd', users], async url => {
      expect((await httpRequest(url, 'GET', '/v2/')).status).toBe(401)
      const authorization = `Basic ${Buffer.from('ann:hunter2').toString('base64')}`
      expect((await httpRequest(url, 'GET', '/v2/', { headers: { authorization } })).status).toBe(200)
    })
  })

  test('with --tls-cert and --tls-key speaks https', async () => {
    const { key, cert } = selfSignedCertificate()
    await serving(['--tls-cert', file('cert', cert), '--tls-key', file('key', key)], async url => {
      expect(url).toMatch(/^https:/)
      const { request } = await import('node:https')
      const status = await new Promise((resolve, reject) => {
        const options = { ca: cert, agent: false, headers: { connection: 'close' } }
        request(`${url}/v2/`, options, answer => resolve(answer.resume().statusCode))
          .on('error', reject)
          .end()
      })
      expect(status).toBe(200)
    })
  })

  test('with --upstream fetches what the store lacks, under the name that a pull gives', async () => {
    const there = createMemoryStore()
    const image = await putStoreImage(there)
    await there.references.set('some/app:1', image.manifest)
    await using origin = await serveStore(there)
    await serving(['--upstream', origin.host], async url => {
      expect((await httpRequest(url, 'GET', '/v2/some/app/manifests/1')).status).toBe(200)
      for (const { digest } of [image.config, image.layer]) {
        expect((await httpRequest(url, 'GET', `/v2/some/app/blobs/${digest}`)).status).toBe(200)
      }
    })
    await using here = await openStore(store)
    expect((await here.references.get(`${origin.host}/some/app:1`))?.digest).toBe(image.manifest.digest)
  })

  test.each([
    [['--listen', 'x'], 'ERR_USAGE', 2],
    [['--listen', '127.0.0.1:65536'], 'ERR_USAGE', 2],
    [['--upstream', 'some/app'], 'ERR_USAGE', 2],
    [['--upstream', 'docker'], 'ERR_USAGE', 2],
    [['--tls-cert', '/nowhere'], 'ERR_USAGE', 2],
    [['--tls-cert', '/nowhere', '--tls-key', '/nowhere'], 'ERR_SOURCE_NOT_FOUND', 1],
    [['--htpasswd', '/nowhere'], 'ERR_SOURCE_NOT_FOUND', 1],
    [['--htpasswd', '/dev/null', '--listen', 'x:y'], 'ERR_USAGE', 2],
  ])('refuses %s', async (args, code, exit) => {
    const run = await cli(['serve', '--listen', '127.0.0.1:0', ...args], { store })
    expect([run.code, run.stderr]).toEqual([exit, expect.stringContaining(`(${code})`)])
  })

  test('warns that anyone may push if it listens on a public address', async () => {
    const stop = new AbortController()
    const onStdout = () => stop.abort()
    const run = (...args: string[]) =>
      cli(['serve', '--listen', '0.0.0.0:0', ...args], { store, signal: stop.signal, onStdout })
    expect((await run()).stderr).toContain('--htpasswd')
    expect((await run('--read-only')).stderr).toBe('')
  })

  test('warns that a public mirror uses the credentials of its owner', async () => {
    const run = async (...args: string[]) => {
      const stop = new AbortController()
      const command = ['serve', '--listen', '0.0.0.0:0', '--upstream', '127.0.0.1:9', ...args]
      return (await cli(command, { store, signal: stop.signal, onStdout: () => stop.abort() })).stderr
    }
    expect(await run()).toMatch(/all of 127\.0\.0\.1:9 that this user may read.*--htpasswd/)
    expect(JSON.parse(await run('--json'))).toMatchObject({ level: 'warning', time: expect.any(String) })
    expect(await run('--htpasswd', file('users', ''))).toBe('')
    expect(await run('--listen', '127.0.0.1:0')).toBe('')
  })

  test('with --log prints a line for every request, without it only failures with their cause', async () => {
    await using origin = await startScriptedRegistry((_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    )
    const asked = async (...args: string[]) => {
      const { stderr } = await serving(['--upstream', origin.host, ...args], async url => {
        await httpRequest(url, 'GET', '/v2/?password=secret')
        await httpRequest(url, 'GET', '/v2/app/manifests/1')
        await httpRequest(url, 'GET', '/v2/%1b/x')
      })
      expect(stderr).not.toContain('secret')
      return stderr
        .split('\n')
        .filter(Boolean)
        .map(line => JSON.parse(line))
    }
    const failed = { path: '/v2/app/manifests/1', status: 502, level: 'error', error: { code: 'ERR_PROTOCOL' } }
    expect(await asked()).toMatchObject([failed])
    expect(await asked('--log')).toMatchObject([
      { method: 'GET', path: '/v2/', status: 200, level: 'info', client: '127.0.0.1', complete: true },
      failed,
      { path: '/v2/%1b/x', status: 404, level: 'info', error: { message: expect.any(String) } },
    ])
  })
})

describe('serve where it cannot listen or encrypt', () => {
  test('names the address, the reason and the way out', async () => {
    await using taken = await startScriptedRegistry(() => {})
    const listen = (address: string) => cli(['serve', '--listen', address], { store })
    expect(await listen(taken.host)).toEqual({
      code: 1,
      stdout: '',
      stderr:
        `layerstore: cannot listen on ${taken.host}: another program listens there; choose another port, or 0 for a free ` +
        'one (EADDRINUSE) (ERR_LISTEN)\n',
    })
    expect((await listen('192.0.2.1:0')).stderr).toMatch(
      /192\.0\.2\.1:0: this machine has no such address .*\(ERR_LISTEN\)/,
    )
    expect((await listen('no.invalid:0')).stderr).toMatch(/cannot listen on no\.invalid:0: .*\(ERR_LISTEN\)/)
  })

  test('refuses a certificate that is none, or not that of the key', async () => {
    const [one, other] = [selfSignedCertificate(), selfSignedCertificate()]
    const cert = file('cert.pem', one.cert)
    const serve = (...args: string[]) => cli(['serve', '--listen', '127.0.0.1:0', ...args], { store })
    const none = await serve('--tls-cert', file('text', 'hello'), '--tls-key', file('key.pem', one.key))
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('is not a PEM file') })
    const wrong = await serve('--tls-cert', cert, '--tls-key', file('other.pem', other.key))
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('(ERR_INVALID_ARGUMENT)') })
  })
})
