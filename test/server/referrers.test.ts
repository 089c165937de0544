import { expect, test } from 'vitest'
import type { Digest } from '../../lib/digest/index.ts'
import { MediaType } from '../../lib/oci/index.ts'
import { pushImage, rawImage, sha256 } from '../helpers/push-image.ts'
import { type RunningServer, runningServer } from '../helpers/running-server.ts'
import { putStoreDocument, putStoreImage } from '../helpers/store-image.ts'

const subject = rawImage('subject')
const about = { mediaType: subject.mediaType, digest: subject.digest, size: subject.manifest.length }
const signature = (seed: string, members: object = {}) => rawImage(seed, { subject: about, ...members })

async function listed(registry: RunningServer, query = '', digest: string = subject.digest) {
  const answer = await registry.ask('GET', `/v2/app/referrers/${digest}${query}`)
  expect(answer.status).toBe(200)
  expect(answer.headers['content-type']).toBe(MediaType.OciIndex)
  const { manifests, ...rest } = answer.json() as { manifests?: Record<string, unknown>[] }
  expect(rest).toEqual({ schemaVersion: 2, mediaType: MediaType.OciIndex })
  return { manifests: manifests!, headers: answer.headers }
}

test('the list of referrers is empty for a manifest without any, existing or not', async () => {
  await using registry = await runningServer()
  await pushImage(registry.url, 'app', '1', subject)
  expect((await listed(registry)).manifests).toEqual([])
  expect((await listed(registry, '', sha256('nothing'))).manifests).toEqual([])
})

test('a push of a manifest with a subject answers with OCI-Subject and lists it', async () => {
  await using registry = await runningServer()
  const annotations = { note: 'signed' }
  const image = signature('a', { artifactType: 'application/x.signature', annotations })
  for (const { bytes } of image.blobs) await registry.store.put(bytes)
  const answer = await registry.ask('PUT', `/v2/app/manifests/${image.digest}`, {
    headers: { 'content-type': image.mediaType },
    body: image.manifest,
  })
  expect(answer).toMatchObject({ status: 201, headers: { 'oci-subject': subject.digest } })
  const { manifests } = await listed(registry)
  const entry = { mediaType: image.mediaType, digest: image.digest, size: image.manifest.length, annotations }
  expect(manifests).toEqual([{ ...entry, artifactType: 'application/x.signature' }])
})

test('a push of a manifest without a subject has no OCI-Subject', async () => {
  await using registry = await runningServer()
  for (const { bytes } of subject.blobs) await registry.store.put(bytes)
  const answer = await registry.ask('PUT', '/v2/app/manifests/1', { body: subject.manifest })
  expect([answer.status, answer.headers['oci-subject']]).toEqual([201, undefined])
})

test('the artifact type falls back to that of the config, except for an index', async () => {
  await using registry = await runningServer()
  const plain = signature('plain')
  await pushImage(registry.url, 'app', 'plain', plain)
  const index = await putStoreDocument(registry.store, MediaType.OciIndex, {
    schemaVersion: 2,
    mediaType: MediaType.OciIndex,
    manifests: [],
    subject: about,
  })
  const { manifests } = await listed(registry)
  expect(manifests.find(({ digest }) => digest === plain.digest)!.artifactType).toBe(MediaType.OciConfig)
  expect(manifests.find(({ digest }) => digest === index.digest)).not.toHaveProperty('artifactType')
})

test('artifactType filters the list, and OCI-Filters-Applied says so', async () => {
  await using registry = await runningServer()
  const images = ['x', 'y', 'z'].map(kind => signature(kind, { artifactType: `application/${kind}` }))
  for (const image of images) await pushImage(registry.url, 'app', 'tag', image)
  const { manifests, headers } = await listed(registry, '?artifactType=application%2Fy')
  expect(manifests.map(({ digest }) => digest)).toEqual([images[1]!.digest])
  expect(headers['oci-filters-applied']).toBe('artifactType')
  expect((await listed(registry)).headers['oci-filters-applied']).toBeUndefined()
  expect((await listed(registry, '?artifactType=none')).manifests).toEqual([])
})

test('referrers that were not pushed are found, and deleted ones are not', async () => {
  await using registry = await runningServer()
  const image = signature('a')
  // Before the server has scanned the store.
  for (const { bytes } of image.blobs) await registry.store.put(bytes)
  await registry.store.put(image.manifest)
  await registry.store.put(Buffer.from(`{"not json ${'x'.repeat(100)}`))
  await registry.store.put(Buffer.from(JSON.stringify({ subject: about, schemaVersion: 1, pad: 'x'.repeat(100) })))
  expect((await listed(registry)).manifests).toHaveLength(1)
  await registry.store.delete(image.digest as Digest)
  expect((await listed(registry)).manifests).toEqual([])
})

test('manifests of a referrers tag of older clients are listed', async () => {
  await using registry = await runningServer()
  const { manifest: subject } = await putStoreImage(registry.store, 'subject')
  const members = { schemaVersion: 2, mediaType: MediaType.OciIndex, manifests: [], subject }
  const referrer = await putStoreDocument(registry.store, MediaType.OciIndex, members)
  const list = { schemaVersion: 2, mediaType: MediaType.OciIndex, manifests: [referrer] }
  const index = await putStoreDocument(registry.store, MediaType.OciIndex, list)
  await registry.store.references.set(`app:${subject.digest.replace(':', '-')}`, index)
  const answer = await registry.ask('GET', `/v2/app/referrers/${subject.digest}`)
  expect((answer.json().manifests as { digest: string }[]).map(({ digest }) => digest)).toEqual([referrer.digest])
})

test('DELETE of a referrer removes its entry, DELETE of the subject removes none', async () => {
  await using registry = await runningServer()
  const [one, two] = [signature('one'), signature('two')]
  for (const [tag, image] of [
    ['s', subject],
    ['one', one],
    ['two', two],
  ] as const) {
    await pushImage(registry.url, 'app', tag, image)
  }
  expect((await registry.ask('DELETE', `/v2/app/manifests/${one.digest}`)).status).toBe(202)
  expect((await registry.ask('DELETE', `/v2/app/manifests/${subject.digest}`)).status).toBe(202)
  expect((await listed(registry)).manifests.map(({ digest }) => digest)).toEqual([two.digest])
})

test('a long list is split into pages, none larger than a manifest may be', async () => {
  await using registry = await runningServer()
  const images = Array.from({ length: 5 }, (_, i) =>
    signature(`${i}`, { artifactType: 'application/x', annotations: { long: 'x'.repeat(900_000) } }),
  )
  for (const image of images) await pushImage(registry.url, 'app', 'tag', image)
  const seen: unknown[] = []
  let path: string | undefined = `/v2/app/referrers/${subject.digest}?artifactType=application%2Fx`
  for (let pages = 0; path !== undefined; pages++) {
    expect(pages).toBeLessThan(5)
    const answer = await registry.ask('GET', path)
    expect(answer.body.length).toBeLessThan(4 * 1024 * 1024)
    seen.push(...(answer.json().manifests as { digest: string }[]).map(({ digest }) => digest))
    path = /^<([^>]+)>; rel="next"$/.exec(`${answer.headers.link ?? ''}`)?.[1]
  }
  expect(seen).toEqual(images.map(({ digest }) => digest).sort())
})
