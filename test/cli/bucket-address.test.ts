import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { parseBucketAddress } from '../../lib/cli/session/bucket-address.ts'
import { cli } from '../helpers/run-cli.ts'

test('the address of a bucket has a prefix, an endpoint and a region', () => {
  expect(parseBucketAddress('s3://images')).toEqual({ bucket: 'images' })
  expect(parseBucketAddress('s3://images/')).toEqual({ bucket: 'images' })
  expect(parseBucketAddress('s3://images/team/a/?endpoint=https://s3.example:9000/x&region=eu&allow-http')).toEqual({
    bucket: 'images',
    prefix: 'team/a',
    endpoint: 'https://s3.example:9000/x',
    region: 'eu',
    allowHttp: true,
  })
})

test('the address of a bucket names a directory that keeps its blobs, and its size', () => {
  const { cache, cacheBytes } = parseBucketAddress('s3://images?cache=/var/cache/images&cache-size=20GB')
  expect({ cache, cacheBytes }).toEqual({ cache: '/var/cache/images', cacheBytes: 20e9 })
  expect(() => parseBucketAddress('s3://images?cache=/c&cache-size=much')).toThrow('cache-size takes a size')
})

test.each(['s3://', 's3:///prefix', 's3://b?endpoint=', 's3://b?key=1', 's3://b?allow-http=no'])(
  '%s is no address of a bucket',
  address => {
    expect(() => parseBucketAddress(address)).toThrow('the address of a')
  },
)

test('a key in the address is refused, and not printed', async () => {
  const { code, stderr } = await cli(['--store', 's3://AKIA:secret@images', 'images'])
  expect(code).toBe(2)
  expect(stderr).toContain('set AWS_ACCESS_KEY_ID')
  expect(stderr).not.toContain('secret@')
})

test.each(['containers', 'run app:1', 'start abc', 'commit abc', 'containers rm abc'])(
  '"%s" with a store in a bucket says that it needs a directory, before any request',
  async line => {
    const store = 's3://images?endpoint=http://127.0.0.1:1'
    const { code, stderr } = await cli(line.split(' '), { store })
    expect({ code, stderr }).toEqual({
      // As docker: 125 if no process ran.
      code: /^(run|start)/.test(line) ? 125 : 2,
      stderr: expect.stringContaining(
        'containers need a store in a directory of this machine, but s3://images is a bucket',
      ),
    })
  },
)

test('no other room imports the object store before it is used', () => {
  const lib = resolve(import.meta.dirname, '../../lib')
  const files = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts'))
  const importing = files.filter(
    file =>
      !file.startsWith('object-store/') &&
      /^(?:import|export)(?! type )[^'"]*from '[^']*object-store\//m.test(readFileSync(join(lib, file), 'utf8')),
  )
  expect(importing).toEqual([])
  expect(readFileSync(join(lib, 'cli/session/session.ts'), 'utf8')).toContain(
    "await import('../../object-store/index.ts')",
  )
})
