import { afterAll, beforeAll, expect, test } from 'vitest'
import { pushImage, rawImage, sha256 } from '../helpers/push-image.ts'
import { type RunningServer, runningServer } from '../helpers/running-server.ts'

/* SPEC: error codes of answers below 500 (distribution-spec, error codes). */
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
  ['an unknown endpoint', 404, 'UNSUPPORTED', 'GET', '/v3/'],
  ['an unsupported method', 405, 'UNSUPPORTED', 'PUT', '/v2/'],
  ['an invalid name', 400, 'NAME_INVALID', 'GET', '/v2/A/tags/list'],
  ['a malformed escape', 400, 'NAME_INVALID', 'GET', '/v2/%zz/tags/list'],
  ['an unknown repository', 404, 'NAME_UNKNOWN', 'GET', '/v2/none/tags/list'],
  ['an invalid number of tags', 400, 'UNSUPPORTED', 'GET', '/v2/app/tags/list?n=x'],
  ['an unknown manifest', 404, 'MANIFEST_UNKNOWN', 'GET', '/v2/app/manifests/none'],
  ['DELETE of an unknown manifest', 404, 'MANIFEST_UNKNOWN', 'DELETE', '/v2/app/manifests/none'],
  ['an invalid digest', 400, 'DIGEST_INVALID', 'GET', '/v2/app/manifests/sha256:x'],
  ['a list of referrers of an invalid digest', 400, 'DIGEST_INVALID', 'GET', '/v2/app/referrers/sha256:x'],
  ['an unknown blob', 404, 'BLOB_UNKNOWN', 'GET', `/v2/app/blobs/${none}`],
  ['DELETE of an unknown blob', 404, 'BLOB_UNKNOWN', 'DELETE', `/v2/app/blobs/${none}`],
  ['DELETE of a blob that an image needs', 405, 'UNSUPPORTED', 'DELETE', `/v2/app/blobs/${layer}`],
  ['an unsatisfiable range', 416, 'SIZE_INVALID', 'GET', `/v2/app/blobs/${layer}`, undefined, { range: 'bytes=999-' }],
  ['an unknown upload', 404, 'BLOB_UPLOAD_UNKNOWN', 'PATCH', `${upload}x`],
  ['an unknown algorithm', 400, 'DIGEST_INVALID', 'POST', `${upload}?digest-algorithm=md5`],
  ['a wrong digest', 400, 'DIGEST_INVALID', 'POST', `${upload}?digest=${none}`, 'something'],
  ['an invalid manifest', 400, 'MANIFEST_INVALID', 'PUT', '/v2/app/manifests/x', '{}', json],
  ['a manifest under a wrong digest', 400, 'DIGEST_INVALID', 'PUT', `/v2/app/manifests/${none}`, image.manifest, json],
  ['an invalid tag', 400, 'MANIFEST_INVALID', 'PUT', '/v2/app/manifests/-x', image.manifest, json],
  ['a too large manifest', 413, 'SIZE_INVALID', 'PUT', '/v2/app/manifests/x', Buffer.alloc(9000), json],
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
