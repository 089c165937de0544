import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type BucketOptions, openBucket } from '../../../lib/object-store/index.ts'
import { parseProfiles } from '../../../lib/object-store/s3/credentials/shared-files.ts'
import { type MemoryS3, startMemoryS3 } from '../../helpers/memory-s3.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

let server: MemoryS3
const key = { accessKeyId: 'AKTEST', secretAccessKey: 'secret' }
beforeAll(async () => {
  server = await startMemoryS3()
})
afterAll(() => server[Symbol.asyncDispose]())

/** Whether a request with these options gets through. */
async function gets(options: Partial<BucketOptions>): Promise<string> {
  const bucket = await openBucket({ bucket: 'bucket', endpoint: server.endpoint, environment: {}, ...options })
  try {
    await bucket.put('x', Buffer.from('x'))
    return 'stored'
  } catch (error) {
    return `${(error as { code: string }).code}: ${(error as Error).message}`
  } finally {
    bucket.close()
  }
}

test('the environment gives key, token, region and address', async () => {
  const environment = {
    AWS_ACCESS_KEY_ID: 'AKTEST',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
    AWS_ENDPOINT_URL_S3: server.endpoint,
  }
  const bucket = await openBucket({ bucket: 'bucket', environment })
  expect(bucket.address).toBe(`s3://bucket at ${server.endpoint}`)
  expect(await bucket.put('x', Buffer.from('x'))).toMatchObject({ stored: true })
  bucket.close()
  server.settings.key = { ...key, sessionToken: 'token' }
  expect(await gets({ environment })).toMatch(/^ERR_BUCKET_DENIED/)
  expect(await gets({ environment: { ...environment, AWS_SESSION_TOKEN: 'token' } })).toBe('stored')
  server.settings.key = key
})

test('the shared files give key, region and address by profile', async () => {
  using directory = temporaryDirectory()
  const home = directory.path
  mkdirSync(join(home, '.aws'))
  writeFileSync(
    join(home, '.aws/credentials'),
    '[default]\naws_access_key_id = WRONG\naws_secret_access_key=x\n[team]\naws_access_key_id=AKTEST\naws_secret_access_key=secret # mine\n',
  )
  writeFileSync(join(home, '.aws/config'), `[profile team]\nregion = us-east-1\nendpoint_url = ${server.endpoint}\n`)
  expect(await gets({ endpoint: undefined, environment: { HOME: home, AWS_PROFILE: 'team' } })).toBe('stored')
  expect(await gets({ environment: { HOME: home } })).toMatch(/^ERR_BUCKET_DENIED/)
  const files = { AWS_SHARED_CREDENTIALS_FILE: join(home, '.aws/credentials'), AWS_CONFIG_FILE: join(home, 'none') }
  expect(await gets({ region: 'us-east-1', environment: { ...files, AWS_PROFILE: 'team' } })).toBe('stored')
  await expect(gets({ environment: { HOME: home, AWS_PROFILE: 'nobody' } })).rejects.toMatchObject({
    code: 'ERR_BUCKET_CREDENTIALS',
    message: 'no profile "nobody" in the shared files of AWS',
  })
})

test('without a key the error says where to put one, and which way of the profile is not supported', async () => {
  using directory = temporaryDirectory()
  const home = directory.path
  const region = 'us-east-1'
  expect(await gets({ region, environment: { HOME: home } })).toMatch(/^ERR_BUCKET_CREDENTIALS: .*AWS_ACCESS_KEY_ID/)
  mkdirSync(join(home, '.aws'))
  writeFileSync(join(home, '.aws/config'), '[default]\nrole_arn = arn:x\n')
  expect(await gets({ environment: { HOME: home } })).toMatch(/uses role_arn, which is not supported/)
  const broken = { AWS_CONFIG_FILE: home }
  await expect(gets({ environment: broken })).rejects.toMatchObject({ code: 'ERR_BUCKET_CREDENTIALS' })
})

test('a function is asked once for many requests, again before its key ends, and again when it is refused', async () => {
  let asked = 0
  const options = { endpoint: server.endpoint, bucket: 'bucket', region: 'us-east-1', environment: {} }
  const counted = <T>(value: T): T => {
    asked++
    return value
  }
  const lasting = await openBucket({ ...options, credentials: async () => counted(key) })
  await Promise.all(['a', 'b', 'c'].map(name => lasting.put(name, Buffer.from(name))))
  expect(asked).toBe(1)
  const ending = await openBucket({
    ...options,
    credentials: () => counted({ ...key, expiration: new Date(Date.now() + 30_000) }),
  })
  await ending.head('a')
  await ending.head('a')
  expect(asked).toBe(3)
  server.settings.key = { ...key, sessionToken: 'new' }
  const renewed = await openBucket({
    ...options,
    credentials: () => ({ ...key, sessionToken: ++asked === 4 ? 'old' : 'new' }),
  })
  expect(await renewed.put('a', Buffer.from('a'))).toMatchObject({ stored: true })
  expect(asked).toBe(5)
  server.settings.key = key
  for (const bucket of [lasting, ending, renewed]) bucket.close()
})

test('unusable keys and functions that fail are told without a secret', async () => {
  const region = 'us-east-1'
  const fail = () => Promise.reject(new Error('no network'))
  expect(await gets({ region, credentials: fail })).toMatch(/^ERR_BUCKET_CREDENTIALS: the function for credentials/)
  for (const given of [
    undefined,
    { accessKeyId: 'my s3cret', secretAccessKey: 's3cret' },
    { accessKeyId: 'id', secretAccessKey: 's3cret\n' },
    { ...key, sessionToken: 's3cret ' },
    { ...key, expiration: 's3cret' },
  ]) {
    const message = await gets({ region, credentials: () => given as never })
    expect(message).toMatch(/^ERR_BUCKET_CREDENTIALS: unusable credentials/)
    expect(message).not.toContain('s3cret')
  }
})

test('profiles are read as the tools of AWS do', () => {
  const text =
    '# comment\nlost = 1\n[ default ]\nA = b ; note\nnested =\n  inner = 1\n[profile  x]\r\nc=d=e\r\n[default]\nf = g'
  expect(Object.fromEntries([...parseProfiles(text)].map(([name, values]) => [name, { ...values }]))).toEqual({
    default: { a: 'b', nested: '', f: 'g' },
    'profile x': { c: 'd=e' },
  })
})

test.each<[string, Partial<BucketOptions>, string]>([
  ['AWS', { region: 'eu-central-1' }, 's3://bucket'],
  ['a prefix', { prefix: '/a/b/' }, 's3://bucket/a/b'],
  [
    'another service',
    { endpoint: 'https://s3.example/base/', prefix: 'p' },
    's3://bucket/p at https://s3.example/base',
  ],
  ['http that was allowed', { endpoint: 'http://s3.example', allowHttp: true }, 's3://bucket at http://s3.example'],
  ['http to this machine', { endpoint: 'http://[::1]:9000' }, 's3://bucket at http://[::1]:9000'],
])('the address of %s is told', async (_, options, expected) => {
  expect((await openBucket({ bucket: 'bucket', environment: {}, ...options })).address).toBe(expected)
})

test('presigned addresses of AWS name the bucket in the host, unless its name has a dot', async () => {
  const options = { region: 'cn-north-1', credentials: key, environment: {} }
  const one = await openBucket({ ...options, bucket: 'bucket' })
  expect(await one.presign('k', { expiresIn: 1 })).toMatch(/^https:\/\/bucket\.s3\.cn-north-1\.amazonaws\.com\.cn\/k\?/)
  const other = await openBucket({ ...options, bucket: 'my.bucket' })
  expect(await other.presign('k', { expiresIn: 1 })).toMatch(
    /^https:\/\/s3\.cn-north-1\.amazonaws\.com\.cn\/my\.bucket\/k\?/,
  )
})

test.each<[string, Partial<Record<keyof BucketOptions, unknown>>]>([
  ['a bucket of two characters', { bucket: 'ab' }],
  ['a bucket with a slash', { bucket: 'a/bc' }],
  ['a prefix that leaves itself', { prefix: 'a/../b' }],
  ['a prefix with an empty part', { prefix: 'a//b' }],
  ['a region with a slash', { region: 'a/b' }],
  ['an address with a password', { endpoint: 'https://user:s3cret@s3.example' }],
  ['an address that is none', { endpoint: 's3cret' }],
  ['another protocol', { endpoint: 'ftp://s3cret.example' }],
  ['http to another machine', { endpoint: 'http://s3.example' }],
])('%s is refused', async (_, options) => {
  const opened = openBucket({ bucket: 'bucket', environment: {}, ...options } as BucketOptions)
  await expect(opened).rejects.toMatchObject({
    code: 'ERR_INVALID_ARGUMENT',
    message: expect.not.stringContaining('s3cret'),
  })
})

test('keys, ranges, part numbers, page sizes and times that no service takes are refused before a request', async () => {
  const bucket = await openBucket({
    bucket: 'bucket',
    endpoint: server.endpoint,
    credentials: key,
    region: 'us-east-1',
  })
  const refused = { code: 'ERR_INVALID_ARGUMENT' }
  const { length } = server.requests
  for (const bad of ['', 'a//b', '../a', 'a/.', '/a', 'a/', 'a\nb', 'x'.repeat(1025), 7 as never]) {
    await expect(bucket.head(bad)).rejects.toMatchObject(refused)
  }
  await expect(bucket.get('a', { range: { offset: -1, length: 1 } })).rejects.toMatchObject(refused)
  await expect(bucket.get('a', { range: { offset: 0, length: 0 } })).rejects.toMatchObject(refused)
  await expect(bucket.putPart('a', 'id', 10_001, Buffer.from(''))).rejects.toMatchObject(refused)
  await expect(bucket.presign('a', { expiresIn: 604_801 })).rejects.toMatchObject(refused)
  await expect(bucket.put('a', Buffer.from(''), { sha256: 'x' })).rejects.toMatchObject(refused)
  await expect(bucket.list('', { pageSize: 1001 })[Symbol.asyncIterator]().next()).rejects.toMatchObject(refused)
  expect(server.requests).toHaveLength(length)
  bucket.close()
})
