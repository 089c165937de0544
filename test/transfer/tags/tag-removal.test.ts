import { expect, test } from 'vitest'
import { composeImage, composeIndex } from '../../../lib/image/index.ts'
import { planTagRemoval, runTagRemoval } from '../../../lib/transfer/index.ts'
import { registryClientFor } from '../../helpers/registry-client-for.ts'
import { sampleImage } from '../../helpers/sample-image.ts'
import { registry, remote, serveRegistry, server } from '../../helpers/served-registry.ts'
import { startScriptedRegistry } from '../../helpers/start-scripted-registry.ts'

serveRegistry()
const repository = () => `${server.host}/app`
const tags = (list: readonly { tag: string }[]) => list.map(({ tag }) => tag)

async function images() {
  const made = []
  for (const n of [1, 2, 3]) {
    const { layers } = await sampleImage(remote, [{ n: `${n}` }])
    const image = await composeImage(remote, { layers, created: `2026-01-0${4 - n}T00:00:00Z` })
    await remote.references.set(`app:v${n}`, image.descriptor)
    made.push(image)
  }
  return made
}

test('the newest images are those with the latest time, whatever their tags; a plan is data and changes nothing', async () => {
  await images()
  const plan = await planTagRemoval(registry, repository(), { keepLast: 2 })
  expect(tags(plan.keep)).toEqual(['v1', 'v2'])
  expect(plan.remove).toMatchObject([
    { tag: 'v3', created: '2026-01-01T00:00:00Z', reason: 'older than the last 2 images' },
  ])
  expect(JSON.parse(JSON.stringify(plan))).toEqual(plan)
  expect(await remote.references.get('app:v3')).toBeDefined()
  expect(await runTagRemoval(registry, plan)).toEqual({ removed: ['v3'], deleted: [], moved: [] })
  expect(await remote.references.get('app:v3')).toBeUndefined()
})

test('a tag that names another image than in the plan is left alone', async () => {
  const [newest] = await images()
  const plan = await planTagRemoval(registry, repository(), { keepLast: 1 })
  await remote.references.set('app:v3', newest!.descriptor)
  expect(await runTagRemoval(registry, plan)).toEqual({ removed: ['v2'], deleted: [], moved: ['v3'] })
})

test('by digest, no manifest is deleted that a kept tag names, alone or as a part of an index', async () => {
  const [one, two, three] = await images()
  const both = await composeIndex(remote, {
    images: [{ image: three!, platform: 'linux/amd64' }],
    annotations: { 'org.opencontainers.image.created': '2026-02-01T00:00:00Z' },
  })
  await remote.references.set('app:multi', both.descriptor)
  const plan = await planTagRemoval(registry, repository(), { keepLast: 2 })
  expect(tags(plan.keep)).toEqual(['multi', 'v1'])
  const result = await runTagRemoval(registry, plan, { digests: true })
  expect(result).toEqual({ removed: ['v2'], deleted: [two!.descriptor.digest], moved: [] })
  for (const kept of [one!, three!]) expect(await remote.stat(kept.descriptor.digest)).toBeDefined()
  expect(await remote.references.get('app:v3')).toBeDefined()
})

test('a registry that does not delete tags is said to be one', async () => {
  await using refusing = await startScriptedRegistry((_request, response) => {
    response.writeHead(405, { 'content-type': 'application/json' })
    response.end('{"errors":[{"code":"UNSUPPORTED","message":"The operation is unsupported."}]}')
  })
  await using client = registryClientFor()
  await expect(client.deleteTag({ registry: refusing.host, repository: 'app' }, 'v1')).rejects.toMatchObject({
    code: 'ERR_TAG_DELETION_UNSUPPORTED',
    message: expect.stringContaining('this registry does not delete tags; delete by digest'),
    status: 405,
  })
})

test('wrong numbers and references are refused before the first request', async () => {
  const refused = { code: 'ERR_INVALID_ARGUMENT' }
  for (const keepLast of [0, -1, 1.5]) {
    await expect(planTagRemoval(registry, repository(), { keepLast })).rejects.toMatchObject(refused)
  }
  await expect(planTagRemoval(registry, `${repository()}:1`, { keepLast: 1 })).rejects.toMatchObject(refused)
  expect(server.requests).toEqual([])
})
