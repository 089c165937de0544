import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createMemoryStore } from '../../lib/store/index.ts'
import { startMemoryS3 } from '../helpers/memory-s3.ts'
import { mixedBytes } from '../helpers/mixed-bytes.ts'
import { cli } from '../helpers/run-cli.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

test('commands work over a store in a bucket, named by LAYERSTORE_STORE, with the usual environment', async () => {
  await using s3 = await startMemoryS3()
  const { accessKeyId, secretAccessKey } = s3.settings.key
  const remote = createMemoryStore()
  await remote.references.set('base:1', (await putStoreImage(remote)).manifest)
  await using server = await serveStore(remote)
  const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_ENDPOINT_URL: s3.endpoint }
  const store = `s3://${s3.bucket}/team?region=${s3.settings.region}`
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await cli(args, { store, env })
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    return stdout
  }
  expect((await cli(['rm', 'base:1'], { store, env })).stderr).toContain('ERR_STORE_NOT_FOUND')
  await run('pull', `${server.host}/base:1`)
  expect(await run('images', '--json')).toContain('base:1')
  await run('tag', `${server.host}/base:1`, 'mine:1')
  await run('fsck')
  for (const act of ['rm', 'export']) {
    const missing = await cli([act, 'none:1'], { store, env })
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining('no image named none:1') })
  }
  await run('rm', `${server.host}/base:1`, 'mine:1')
  await run('gc', '--force', '--grace', '0s')
  expect([...s3.objects.keys()].filter(key => key.includes('/blobs/'))).toEqual([])
})

test('two machines with a cache each build the same through one bucket, and send each blob once', async () => {
  await using s3 = await startMemoryS3()
  using place = temporaryDirectory('bucket-cache')
  const { accessKeyId, secretAccessKey } = s3.settings.key
  const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_ENDPOINT_URL: s3.endpoint }
  const context = join(place.path, 'context')
  mkdirSync(context)
  writeFileSync(join(context, 'app'), mixedBytes(200_000))
  writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY app /app\n')
  const build = async (machine: string) => {
    const cache = encodeURIComponent(join(place.path, machine))
    const store = `s3://${s3.bucket}/team?region=${s3.settings.region}&cache=${cache}&cache-size=1GB`
    const { code, stdout, stderr } = await cli(['build', context, '-t', 'app:1', '--json'], { store, env })
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    return stdout
  }
  const sent = () => s3.requests.filter(line => /^PUT \S*\/blobs\//.test(line)).map(line => line.split(/[ ?]/)[1]!)
  await build('one')
  const first = sent()
  expect(first.length).toBeGreaterThanOrEqual(3)
  expect(new Set(first).size).toBe(first.length)
  await build('two')
  expect(sent()).toEqual(first)
  expect(readdirSync(join(place.path, 'one', 'blobs', 'sha256'))).toHaveLength(first.length)
})
