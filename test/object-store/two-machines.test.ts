import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { httpRequest } from '../helpers/http-request.ts'
import { type MemoryS3, startMemoryS3 } from '../helpers/memory-s3.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { type NetworkMachine, startNetworkMachine } from '../helpers/network-machine.ts'
import { sha256 } from '../helpers/push-image.ts'
import { cliProcesses } from '../helpers/start-cli.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const PORT = 5000
const able = [needsRoot(), ...['ip', 'unshare', 'nsenter'].map(needsProgram)].every(Boolean)

/** A machine with a cache of its own, on which `layerstore serve` runs over the bucket. */
interface Builder {
  readonly machine: NetworkMachine
  /** Runs a command over the bucket; resolves to what it has printed. */
  run(...args: string[]): Promise<string>
  ask(method: string, path: string, options?: Parameters<typeof httpRequest>[3]): ReturnType<typeof httpRequest>
  stop(): Promise<void>
}

describe.skipIf(!able)('two machines over one bucket', () => {
  let place: ReturnType<typeof temporaryDirectory>
  let s3: MemoryS3
  let one: Builder
  let two: Builder

  beforeAll(async () => {
    place = temporaryDirectory('two-machines')
    s3 = await startMemoryS3({}, '0.0.0.0')
    const [line, ...rest] = cliProcesses(place.path, join(place.path, 'unused')).command
    const command = [line, ...rest]
    ;[one, two] = await Promise.all([startBuilder('one', command), startBuilder('two', command)])
  })

  afterAll(async () => {
    await Promise.all([one?.stop(), two?.stop()])
    await s3?.[Symbol.asyncDispose]()
    place?.[Symbol.dispose]()
  })

  async function startBuilder(name: string, command: readonly string[]): Promise<Builder> {
    const machine = await startNetworkMachine(name)
    const { accessKeyId, secretAccessKey } = s3.settings.key
    const env = {
      PATH: process.env.PATH,
      HOME: place.path,
      LAYERSTORE_CONFIG: '/dev/null',
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_ENDPOINT_URL: `http://${machine.here}:${new URL(s3.endpoint).port}`,
    }
    const bucket = `s3://${s3.bucket}/team?region=${s3.settings.region}&allow-http`
    const cached = `${bucket}&cache=${encodeURIComponent(join(place.path, name))}&cache-size=1GB`
    const start = (store: string, args: readonly string[]) => {
      const [file, ...rest] = [...machine.inside, ...command, ...args]
      return spawn(file as string, rest, {
        env: { ...env, LAYERSTORE_STORE: store },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
    }
    const server = start(bucket, ['serve', '--listen', `0.0.0.0:${PORT}`, '--workers', '1'])
    await new Promise<void>((resolve, reject) => {
      let text = ''
      const onText = (chunk: Buffer) => {
        text += chunk
        if (text.includes('listening on')) resolve()
      }
      server.stdout.on('data', onText)
      server.stderr.on('data', onText)
      server.once('close', () => reject(new Error(`the server ended: ${text}`)))
    })
    return {
      machine,
      async run(...args) {
        const child = start(cached, args)
        const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []]
        child.stdout.on('data', chunk => stdout.push(chunk))
        child.stderr.on('data', chunk => stderr.push(chunk))
        const code = await new Promise(resolve => child.once('close', resolve))
        if (code !== 0) throw new Error(`${args[0]} on machine ${name} ended with ${code}: ${Buffer.concat(stderr)}`)
        return Buffer.concat(stdout).toString()
      },
      ask: (method, path, options) => httpRequest(`http://${machine.there}:${PORT}`, method, path, options),
      async stop() {
        server.kill()
        await machine[Symbol.asyncDispose]()
      },
    }
  }

  test('that build and push the same image at once store each blob once', async () => {
    const context = join(place.path, 'context')
    mkdirSync(context)
    writeFileSync(join(context, 'small'), randomBytes(500_000))
    writeFileSync(join(context, 'large'), randomBytes(9_000_000))
    writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY small /small\nCOPY large /large\n')
    const dates = ['--build-arg', 'SOURCE_DATE_EPOCH=1700000000']
    const buildAndPush = async ({ run }: Builder) => {
      await run('build', context, '-t', 'app:1', ...dates)
      await run('push', 'app:1', `127.0.0.1:${PORT}/app:1`)
    }
    await Promise.all([buildAndPush(one), buildAndPush(two)])
    const blobs = s3.stored.filter(key => key.startsWith('team/blobs/'))
    // Two layers, their lists of copied files, a config and a manifest.
    expect(blobs).toHaveLength(6)
    expect(new Set(blobs).size).toBe(6)
    const layers = blobs.filter(key => s3.objects.get(key)!.bytes.byteLength > 64 * 1024)
    expect(layers).toHaveLength(2)
    // The body of a layer is sent by one machine: as one object, or as two parts.
    const bodies = layers.map(key => s3.requests.filter(line => line.startsWith(`PUT /${s3.bucket}/${key}`)).length)
    expect(bodies.sort()).toEqual([1, 2])
    const manifests = await Promise.all([one, two].map(({ ask }) => ask('GET', '/v2/app/manifests/1')))
    expect(manifests[0]!.body).toEqual(manifests[1]!.body)
    expect(manifests.map(({ status }) => status)).toEqual([200, 200])
  })

  test('serve as one registry: uploads that move, tags and referrers', async () => {
    const bytes = randomBytes(200_000)
    const digest = sha256(bytes)
    const at = (await one.ask('POST', '/v2/art/blobs/uploads/')).headers.location!
    expect((await two.ask('PATCH', at, { body: bytes.subarray(0, 70_000) })).headers.range).toBe('0-69999')
    expect((await one.ask('PATCH', at, { body: bytes.subarray(70_000, 150_000) })).headers.range).toBe('0-149999')
    expect((await two.ask('PUT', `${at}?digest=${digest}`, { body: bytes.subarray(150_000) })).status).toBe(201)
    const empty = Buffer.from('{}')
    await two.ask('POST', `/v2/art/blobs/uploads/?digest=${sha256(empty)}`, { body: empty })
    const artifact = (more: object = {}) =>
      JSON.stringify({
        ...{ schemaVersion: 2, mediaType: MANIFEST, artifactType: 'application/x-test' },
        config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: sha256(empty), size: 2 },
        layers: [{ mediaType: 'application/octet-stream', digest, size: bytes.byteLength }],
        ...more,
      })
    const push = ({ ask }: Builder, tag: string, body: string) =>
      ask('PUT', `/v2/art/manifests/${tag}`, { headers: { 'content-type': MANIFEST }, body })
    const image = artifact()
    expect((await push(one, '1', image)).status).toBe(201)
    expect((await two.ask('GET', '/v2/art/tags/list')).json().tags).toEqual(['1'])
    expect((await two.ask('GET', '/v2/art/manifests/1')).body.toString()).toBe(image)
    const changed = artifact({ annotations: { a: 'b' } })
    expect((await push(two, '1', changed)).status).toBe(201)
    expect((await one.ask('HEAD', '/v2/art/manifests/1')).headers['docker-content-digest']).toBe(sha256(changed))
    const subject = { mediaType: MANIFEST, digest: sha256(image), size: Buffer.byteLength(image) }
    const referrer = artifact({ subject })
    expect((await push(one, sha256(referrer), referrer)).headers['oci-subject']).toBe(sha256(image))
    const listed = (await two.ask('GET', `/v2/art/referrers/${sha256(image)}`)).json() as unknown
    expect(listed).toMatchObject({ manifests: [{ digest: sha256(referrer) }] })
    expect((await two.ask('DELETE', '/v2/art/manifests/1')).status).toBe(202)
    expect((await one.ask('GET', '/v2/art/tags/list')).json().tags ?? []).toEqual([])
  })
})
