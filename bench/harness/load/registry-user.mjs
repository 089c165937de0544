import { createHash } from 'node:crypto'

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const CONFIG = Buffer.from(
  JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } }),
)
const HEADERS = { authorization: `Basic ${Buffer.from('ann:hunter2').toString('base64')}` }

/** The user and the password that the servers know. */
export const USER = { name: 'ann', password: 'hunter2' }

const digestOf = bytes => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** Pulls a blob. Every `hashEvery`th response is hashed; of all other responses only the size is checked. */
export async function pullBlob(connection, { digest, size }, { hash }) {
  const answer = await connection.request('GET', `/v2/bench/blobs/${digest}`, { headers: HEADERS, hash })
  expectStatus(answer, 200)
  if (answer.size !== size || (hash && answer.digest !== digest)) throw new Error('the blob is another one')
}

/** GET of a manifest by tag. */
export async function pullManifest(connection, tag) {
  const answer = await connection.request('GET', `/v2/bench/manifests/${tag}`, {
    headers: { ...HEADERS, accept: MANIFEST },
    hash: true,
  })
  expectStatus(answer, 200)
  if (answer.digest !== answer.headers['docker-content-digest']) throw new Error('the manifest is another one')
  return answer.digest
}

/** Pushes an image of one layer: a blob in two requests, and a manifest. Resolves to descriptors of both. */
export async function pushImage(connection, tag, layer) {
  await pushBlob(connection, CONFIG)
  const blob = await pushBlob(connection, layer)
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(CONFIG), size: CONFIG.length },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...blob }],
    }),
  )
  const headers = { ...HEADERS, 'Content-Type': MANIFEST }
  expectStatus(await connection.request('PUT', `/v2/bench/manifests/${tag}`, { headers, body: bytes }), 201)
  return { blob, manifest: { digest: digestOf(bytes), size: bytes.length } }
}

async function pushBlob(connection, body) {
  const digest = digestOf(body)
  const started = await connection.request('POST', '/v2/bench/blobs/uploads/', { headers: HEADERS })
  expectStatus(started, 202)
  const location = started.headers.location.replace(/^https?:\/\/[^/]+/, '')
  const path = `${location}${location.includes('?') ? '&' : '?'}digest=${digest}`
  const headers = { ...HEADERS, 'Content-Type': 'application/octet-stream' }
  expectStatus(await connection.request('PUT', path, { headers, body }), 201)
  return { digest, size: body.byteLength }
}

function expectStatus({ status }, wanted) {
  if (status !== wanted) throw new Error(`status ${status} instead of ${wanted}`)
}
