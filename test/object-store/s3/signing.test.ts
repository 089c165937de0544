import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { encodePath, encodeQuery } from '../../../lib/object-store/s3/signing/encode.ts'
import { presignQuery } from '../../../lib/object-store/s3/signing/presign-query.ts'
import { signHeaders } from '../../../lib/object-store/s3/signing/sign-headers.ts'
import { signature, signingKey } from '../../../lib/object-store/s3/signing/signature.ts'

/* Published vectors: the test suite of Signature Version 4, and the examples in the documentation of S3. */

const EMPTY = createHash('sha256').digest('hex')
const suiteKey = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const suite = { time: Date.UTC(2015, 7, 30, 12, 36, 0), region: 'us-east-1', service: 'service' }
const suiteHeaders = { host: 'example.amazonaws.com', 'x-amz-date': '20150830T123600Z' }
const key = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }
const scope = { time: Date.UTC(2013, 4, 24), region: 'us-east-1' }
const host = 'examplebucket.s3.amazonaws.com'

test.each([
  ['get-vanilla', 'GET', [], '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
  [
    'get-vanilla-query-order-key-case',
    'GET',
    [
      ['Param2', 'value2'],
      ['Param1', 'value1'],
    ],
    'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  ],
  ['post-vanilla', 'POST', [], '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
] as const)('%s of the test suite has the published signature', (_, method, query, expected) => {
  const request = { method, path: '/', query, headers: suiteHeaders, payloadHash: EMPTY }
  expect(signature(request, suiteKey, suite)).toBe(expected)
})

test('the key of a day, a region and a service is the published one', () => {
  const iam = { time: Date.UTC(2015, 7, 30), region: 'us-east-1', service: 'iam' }
  const expected = 'c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9'
  expect(signingKey(suiteKey.secretAccessKey, iam).toString('hex')).toBe(expected)
})

test.each([
  [
    'GET of a range',
    { method: 'GET', path: '/test.txt', query: [], headers: { host, range: 'bytes=0-9' }, payloadHash: EMPTY },
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  ],
  [
    'PUT',
    {
      method: 'PUT',
      path: '/test%24file.text',
      query: [],
      headers: { date: 'Fri, 24 May 2013 00:00:00 GMT', host, 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
      payloadHash: createHash('sha256').update('Welcome to Amazon S3.').digest('hex'),
    },
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  ],
  [
    'GET of the lifecycle',
    { method: 'GET', path: '/', query: [['lifecycle', '']] as const, headers: { host }, payloadHash: EMPTY },
    'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  ],
  [
    'a listing',
    {
      method: 'GET',
      path: '/',
      query: [
        ['prefix', 'J'],
        ['max-keys', '2'],
      ] as const,
      headers: { host },
      payloadHash: EMPTY,
    },
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  ],
])('%s of the S3 documentation has the published signature', (_, request, expected) => {
  const { authorization } = signHeaders(request, key, scope)
  expect(authorization).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE\/20130524\/us-east-1\/s3\/aws4_request,/,
  )
  expect(authorization).toContain(`,Signature=${expected}`)
})

test('the presigned address of the S3 documentation has the published query', () => {
  const query = presignQuery(
    { method: 'GET', path: '/test.txt', query: [], headers: { host }, expiresIn: 86400 },
    key,
    scope,
  )
  expect(query).toBe(
    'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request' +
      '&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host' +
      '&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
  )
})

test('a temporary key adds its token to the signed headers and to a presigned query', () => {
  const temporary = { ...key, sessionToken: 'to/ken' }
  const request = { method: 'GET', path: '/', query: [], headers: { host }, payloadHash: EMPTY }
  const headers = signHeaders(request, temporary, scope)
  expect(headers['x-amz-security-token']).toBe('to/ken')
  expect(headers.authorization).toContain('SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,')
  expect(presignQuery({ ...request, expiresIn: 1 }, temporary, scope)).toContain('X-Amz-Security-Token=to%2Fken')
})

test('keys and queries are encoded byte by byte', () => {
  expect(encodePath("a b/ü+~_-.!'()*")).toBe('a%20b/%C3%BC%2B~_-.%21%27%28%29%2A')
  expect(
    encodeQuery([
      ['b', '/'],
      ['a', '2'],
      ['a', '1'],
      ['B', ''],
    ]),
  ).toBe('B=&a=1&a=2&b=%2F')
})
