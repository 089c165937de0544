import { expect, test } from 'vitest'
import { pushImage, rawImage } from '../helpers/push-image.ts'
import { type RunningServer, runningServer } from '../helpers/running-server.ts'

const image = rawImage('a')
const tags = async (registry: RunningServer, repository: string, query = '') =>
  registry.ask('GET', `/v2/${repository}/tags/list${query}`)

/** Puts image `a` into the store and sets the given names directly. */
async function named(registry: RunningServer, ...names: string[]): Promise<void> {
  for (const { bytes } of image.blobs) await registry.store.put(bytes)
  const info = await registry.store.put(image.manifest)
  for (const name of names) await registry.store.references.set(name, { mediaType: image.mediaType, ...info })
}

test('the tags of a repository are sorted', async () => {
  await using registry = await runningServer()
  await named(registry, 'app:b', 'app:a', 'app:C', 'app:10', 'app:9', 'other:x')
  expect((await tags(registry, 'app')).json()).toEqual({ name: 'app', tags: ['10', '9', 'C', 'a', 'b'] })
})

test('a repository without tags is unknown', async () => {
  await using registry = await runningServer()
  const answer = await tags(registry, 'app')
  expect([answer.status, answer.json().errors[0]!.code]).toEqual([404, 'NAME_UNKNOWN'])
})

test('a long list is split into linked pages', async () => {
  await using registry = await runningServer()
  const all = Array.from({ length: 7 }, (_, i) => `v${i}`)
  await named(registry, ...all.map(tag => `some/app:${tag}`))
  const seen: unknown[] = []
  let path: string | undefined = '/v2/some/app/tags/list?n=3'
  for (let pages = 0; path; pages++) {
    expect(pages).toBeLessThan(4)
    const answer = await registry.ask('GET', path)
    seen.push(...(answer.json().tags as string[]))
    path = /^<([^>]+)>; rel="next"$/.exec(String(answer.headers.link ?? ''))?.[1]
  }
  expect(seen).toEqual(all)
})

test('a page after the last tag and a page with n=0 are empty', async () => {
  await using registry = await runningServer()
  await named(registry, 'app:a', 'app:b')
  expect((await tags(registry, 'app', '?last=b')).json().tags).toEqual([])
  expect((await tags(registry, 'app', '?last=a')).json().tags).toEqual(['b'])
  const none = await tags(registry, 'app', '?n=0')
  expect([none.json().tags, none.headers.link]).toEqual([[], undefined])
  expect((await tags(registry, 'app', '?n=2')).headers.link).toBeUndefined()
})

test.each(['-1', 'x', '1.5', '', '9'.repeat(30)])('an invalid number of tags is refused: n=%s', async n => {
  await using registry = await runningServer()
  await named(registry, 'app:a')
  const answer = await tags(registry, 'app', `?n=${n}`)
  expect([answer.status, answer.json().errors[0]!.code]).toEqual([400, 'UNSUPPORTED'])
})

test('a page has at most a thousand names, whatever n is', async () => {
  await using registry = await runningServer()
  await named(registry, 'app:a')
  const names = Array.from({ length: 1500 }, (_, i) => `app:t${i}`).sort()
  registry.store.references.names = async () => names
  const answer = await tags(registry, 'app', '?n=999999999')
  expect([(answer.json().tags as string[]).length, answer.headers.link]).toEqual([
    1000,
    expect.stringContaining('n=1000'),
  ])
})

test('the catalog lists each repository once', async () => {
  await using registry = await runningServer()
  await named(registry, 'node:22', 'node:24', 'some/app:1', 'ghcr.io/o/app:1', 'localhost/x:1')
  const answer = await registry.ask('GET', '/v2/_catalog')
  expect(answer.json().repositories).toEqual(['ghcr.io/o/app', 'localhost/x', 'node', 'some/app'])
  expect((await registry.ask('GET', '/v2/_catalog?n=2')).headers.link).toBe(
    '</v2/_catalog?n=2&last=localhost%2Fx>; rel="next"',
  )
})

test('node, library/node and docker.io/library/node are one repository', async () => {
  await using registry = await runningServer()
  await pushImage(registry.url, 'library/node', '22', image)
  expect((await registry.store.references.get('node:22'))?.digest).toBe(image.digest)
  for (const repository of [
    'node',
    'library/node',
    'docker.io/library/node',
    'docker.io/node',
    'index.docker.io/node',
  ]) {
    expect((await registry.ask('GET', `/v2/${repository}/manifests/22`)).body).toEqual(image.manifest)
    expect((await tags(registry, repository)).json().tags).toEqual(['22'])
  }
  expect((await registry.ask('GET', '/v2/_catalog')).json().repositories).toEqual(['node'])
})

test('an image pulled from a registry is served under its full name', async () => {
  await using registry = await runningServer()
  await named(registry, 'ghcr.io/o/app:1.2', 'docker.io/example.com/app:1')
  expect((await registry.ask('GET', '/v2/ghcr.io/o/app/manifests/1.2')).status).toBe(200)
  expect((await registry.ask('GET', '/v2/o/app/manifests/1.2')).status).toBe(404)
  expect((await registry.ask('GET', '/v2/docker.io/example.com/app/manifests/1')).status).toBe(200)
  expect((await registry.ask('GET', '/v2/example.com/app/manifests/1')).status).toBe(404)
})

test('the catalog leaves out names that no repository can have', async () => {
  await using registry = await runningServer()
  await named(registry, '127.0.0.1:5000/app:1', `app@${image.digest}`, 'seen:1')
  expect((await registry.ask('GET', '/v2/_catalog')).json().repositories).toEqual(['seen'])
})

test('names in other spellings are served under their repository', async () => {
  await using registry = await runningServer()
  await named(registry, 'app:a')
  const descriptor = (await registry.store.references.get('app:a'))!
  const foreign = ['Some Name!', 'docker.io/library/node:22', 'not a reference', 'v1']
  registry.store.references.names = async () => foreign
  registry.store.references.get = async name => (foreign.includes(name) ? descriptor : undefined)
  expect((await registry.ask('GET', '/v2/_catalog')).json().repositories).toEqual(['node', 'v1'])
  expect((await registry.ask('GET', '/v2/node/manifests/22')).status).toBe(200)
  expect((await registry.ask('GET', '/v2/v1/manifests/latest')).status).toBe(200)
  const deleted: string[] = []
  registry.store.references.delete = async name => !!deleted.push(name)
  expect((await registry.ask('DELETE', '/v2/node/manifests/22')).status).toBe(202)
  expect(deleted).toEqual(['docker.io/library/node:22'])
})

test('a repository may have components named blobs or manifests', async () => {
  await using registry = await runningServer()
  for (const repository of ['a/manifests/b', 'blobs/uploads', 'tags/list', 'v2/x', 'manifests']) {
    await pushImage(registry.url, repository, 'latest', image)
    expect((await registry.ask('GET', `/v2/${repository}/manifests/latest`)).status).toBe(200)
    expect((await tags(registry, repository)).json().tags).toEqual(['latest'])
    expect((await registry.ask('GET', `/v2/${repository}/blobs/${image.blobs[0]!.digest}`)).status).toBe(200)
  }
})
