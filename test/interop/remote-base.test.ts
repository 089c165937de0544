import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { composeImage, readImage } from '../../lib/image/index.ts'
import { fromFiles, writeLayer } from '../../lib/layer/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { planPush, planTagRemoval, pushImage, runPush, runTagRemoval } from '../../lib/transfer/index.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { type DockerRegistry, startDockerRegistry } from '../helpers/start-docker-registry.ts'

const here = needsProgram('docker-registry')
const platform = 'linux/amd64'
let docker: DockerRegistry
const registry = registryClientFor()

describe.runIf(here)('docker-registry', () => {
  beforeEach(async () => {
    docker = await startDockerRegistry()
  })
  afterEach(() => docker.stop())

  test('mounts the layers of a base that was not pulled, and has the image then', async () => {
    const remote = createMemoryStore()
    await sampleImage(remote, [{ a: 'a' }, { b: 'b' }], { name: 'base:1' })
    await pushImage(remote, registry, 'base:1', `${docker.host}/team/base:1`)
    const store = createMemoryStore()
    const base = await readImage(registry, `${docker.host}/team/base:1`, { platform })
    const layer = await writeLayer(store, fromFiles({ c: 'c' }))
    const image = await composeImage(store, { base, layers: [layer] })
    const plan = await planPush(store, registry, image, `${docker.host}/team/app:1`)
    expect(plan.steps.map(({ need }) => need)).toEqual(['upload', 'mount', 'mount', 'upload', 'upload'])
    expect(await runPush(plan)).toMatchObject({ blobsMounted: 2, bytesUploaded: plan.bytesToUpload })
    const pushed = await readImage(registry, `${docker.host}/team/app:1`, { platform })
    expect(pushed.descriptor.digest).toBe(image.descriptor.digest)
    const at = { registry: docker.host, repository: 'team/app' }
    for (const { descriptor } of pushed.layers) {
      expect(await registry.statBlob(at, descriptor.digest)).toEqual({ size: descriptor.size })
    }
  })

  test('deletes no tags, which the error says; old images are deleted by digest', async () => {
    const store = createMemoryStore()
    for (const build of [1, 2, 3]) {
      await sampleImage(store, [{ build: `${build}` }], { name: `app:${build}` })
      await pushImage(store, registry, `app:${build}`, `${docker.host}/app:${build}`)
    }
    const plan = await planTagRemoval(registry, `${docker.host}/app`, { keepLast: 2 })
    expect(plan.remove.map(({ tag }) => tag)).toEqual(['1'])
    await expect(runTagRemoval(registry, plan)).rejects.toMatchObject({ code: 'ERR_TAG_DELETION_UNSUPPORTED' })
    expect(await runTagRemoval(registry, plan, { digests: true })).toMatchObject({ removed: ['1'] })
    await expect(registry.resolve({ registry: docker.host, repository: 'app', tag: '1' })).rejects.toMatchObject({
      code: 'ERR_MANIFEST_NOT_FOUND',
    })
  })
})
