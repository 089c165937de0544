import { afterAll, beforeAll, expect, test } from 'vitest'
import { pushImage, rawImage, sha256 } from '../helpers/push-image.ts'
import { type RunningServer, runningServer } from '../helpers/running-server.ts'

/* SPEC: what may stand in the errors of an answer below 500 (distribution-spec, error codes). */
const CODES = [
  'BLOB_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'DIGEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'SIZE_INVALID',
  'UNAUTHORIZED',
  'DENIED',
  'UNSUPPORTED',
  'TOOMANYREQUESTS',
]

const none = sha256('nothing')
const image = rawImage('an image')
const layer = image.blobs.at(-1)!.digest
const json = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }
const upload = '/v2/app/blobs/uploads/'

type Refused = [
  what: string,
  status: number,
  code: string,
  method: string,
  path: string,
  body?: string | Uint8Array | undefined,
  headers?: Record<string, string>,
]

const REFUSED: Refused[] = [
  ['an address that is none', 404, 'UNSUPPORTED', 'GET', '/v3/'],
  ['a method that is not done', 405, 'UNSUPPORTED', 'PUT', '/v2/'],
  ['a name that is none', 400, 'NAME_INVALID', 'GET', '/v2/A/tags/list'],
  ['an escape that is none', 400, 'NAME_INVALID', 'GET', '/v2/%zz/tags/list'],
  ['an unknown repository', 404, 'NAME_UNKNOWN', 'GET', '/v2/none/tags/list'],
  ['a number of tags that is none', 400, 'UNSUPPORTED', 'GET', '/v2/app/tags/list?n=x'],
  ['an unknown manifest', 404, 'MANIFEST_UNKNOWN', 'GET', '/v2/app/manifests/none'],
  ['an unknown manifest, deleted', 404, 'MANIFEST_UNKNOWN', 'DELETE', '/v2/app/manifests/none'],
  ['a digest that is none', 400, 'DIGEST_INVALID', 'GET', '/v2/app/manifests/sha256:x'],
  ['referrers of a digest that is none', 400, 'DIGEST_INVALID', 'GET', '/v2/app/referrers/sha256:x'],
  ['an unknown blob', 404, 'BLOB_UNKNOWN', 'GET', `/v2/app/blobs/${none}`],
  ['an unknown blob, deleted', 404, 'BLOB_UNKNOWN', 'DELETE', `/v2/app/blobs/${none}`],
  ['a blob that an image needs, deleted', 405, 'UNSUPPORTED', 'DELETE', `/v2/app/blobs/${layer}`],
  ['a range that is none', 416, 'SIZE_INVALID', 'GET', `/v2/app/blobs/${layer}`, undefined, { range: 'bytes=999-' }],
  ['an unknown upload', 404, 'BLOB_UPLOAD_UNKNOWN', 'PATCH', `${upload}x`],
  ['an unknown algorithm', 400, 'DIGEST_INVALID', 'POST', `${upload}?digest-algorithm=md5`],
  ['a digest of other bytes', 400, 'DIGEST_INVALID', 'POST', `${upload}?digest=${none}`, 'something'],
  ['a manifest that is none', 400, 'MANIFEST_INVALID', 'PUT', '/v2/app/manifests/x', '{}', json],
  ['a manifest of another digest', 400, 'DIGEST_INVALID', 'PUT', `/v2/app/manifests/${none}`, image.manifest, json],
  ['a tag that is none', 400, 'MANIFEST_INVALID', 'PUT', '/v2/app/manifests/-x', image.manifest, json],
  ['a manifest that is too long', 413, 'SIZE_INVALID', 'PUT', '/v2/app/manifests/x', Buffer.alloc(9000), json],
]

let registry: RunningServer
beforeAll(async () => {
  registry = await runningServer({ maxManifestBytes: 8000 })
  await pushImage(registry.url, 'app', '1', image)
})
afterAll(() => registry[Symbol.asyncDispose]())

test.each<Refused>(REFUSED)(
  '%s is refused with %i and %s, in the form of the specification',
  async (_, status, code, method, path, body, headers) => {
    const answer = await registry.ask(method, path, {
      ...(body === undefined ? {} : { body }),
      ...(headers && { headers }),
    })
    expect([answer.status, answer.headers['content-type']]).toEqual([status, 'application/json'])
    const { errors, ...rest } = answer.json()
    expect(rest).toEqual({})
    expect(errors.map(error => error.code)).toEqual([code])
    for (const { code, message } of errors) expect([CODES.includes(code), message !== '']).toEqual([true, true])
  },
)
