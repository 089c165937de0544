import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadArchive } from '../../../lib/archive/index.ts'
import { createRegistryServer, type RegistryServer } from '../../../lib/server/index.ts'
import { createMemoryStore, type Store } from '../../../lib/store/index.ts'
import { pushImage } from '../../../lib/transfer/index.ts'
import { generateSigningKeys, loadPolicy, loadSigningKey, signImage, verifyImage } from '../../../lib/trust/index.ts'
import { needs } from '../../helpers/needs.ts'
import { registryClientFor } from '../../helpers/registry-client-for.ts'
import { sampleImage } from '../../helpers/sample-image.ts'

/* cosign 3 of Debian, in the tree of an engine (DOCKER_ENGINE), over a registry of this library. */

const run = promisify(execFile)
const { DOCKER_ENGINE: script = '', DOCKER_ENGINE_DIR: tree = '/var/tmp/docker-engine' } = process.env
const hasCosign = script !== '' && existsSync(join(tree, 'usr/bin/cosign'))
const password = 'canary-password'

describe.runIf(needs(hasCosign, 'DOCKER_ENGINE names no script with a tree that has cosign'))('cosign', () => {
  const registry = registryClientFor()
  let store: Store
  let server: RegistryServer
  let host: string
  /** Directory of the test, as the tree sees it. */
  let inside: string
  let ours: { privateKey: string; publicKey: string }
  const at = (name: string) => join(tree, inside, name)
  const cosign = (...args: string[]) =>
    run(script, ['exec', 'env', `COSIGN_PASSWORD=${password}`, `HOME=${inside}`, 'cosign', ...args], {
      timeout: 240_000,
    })
  const verify = (reference: string, ...args: string[]) =>
    cosign(
      'verify',
      '--key',
      `${inside}/ours.pub`,
      '--insecure-ignore-tlog',
      '--allow-http-registry',
      ...args,
      reference,
    )
  const sign = (reference: string, ...args: string[]) =>
    cosign(
      ...['sign', '--key', `${inside}/theirs.key`, '--tlog-upload=false', '--use-signing-config=false', '--yes'],
      ...['--allow-http-registry', ...args, reference],
    )
  const pushed = async (name: string) => {
    const { descriptor } = await sampleImage(store, [{ name }], { name: 'app' })
    await pushImage(store, registry, 'app', `${host}/${name}:1`)
    return {
      registry,
      reference: `${host}/${name}:1`,
      digest: descriptor.digest,
      pinned: `${host}/${name}@${descriptor.digest}`,
    }
  }

  beforeAll(async () => {
    store = createMemoryStore()
    server = createRegistryServer(createMemoryStore())
    host = (await server.listen()).url.replace('http://', '')
    inside = mkdtempSync(join(tree, 'tmp/layerstore-cosign-')).slice(tree.length)
    ours = await generateSigningKeys({ password })
    writeFileSync(at('ours.pub'), ours.publicKey)
    writeFileSync(at('ours.key'), ours.privateKey)
    await cosign('generate-key-pair', '--output-key-prefix', `${inside}/theirs`)
  })
  afterAll(async () => {
    await registry.close()
    await server.close()
    await store.close()
    rmSync(join(tree, inside), { recursive: true })
  })

  test.each([
    ['bundle', []],
    ['simple-signing', ['--new-bundle-format=false']],
  ] as const)('verifies what was signed here: %s', async (format, options) => {
    const place = await pushed(`ours-${format}`)
    await expect(verify(place.reference, ...options)).rejects.toMatchObject({
      stderr: expect.stringMatching(/no sig|not found/i),
    })
    await signImage(place, { key: await loadSigningKey(ours.privateKey, { password }), format })
    expect((await verify(place.reference, ...options)).stdout).toContain(place.digest)
  })

  test.each([
    ['bundle', []],
    ['simple-signing', ['--new-bundle-format=false']],
  ] as const)('signs, with its key and with one of ours, what is verified here: %s', async (format, options) => {
    const place = await pushed(`theirs-${format}`)
    await sign(place.pinned, ...options)
    const theirs = readFileSync(at('theirs.pub'), 'utf8')
    expect(await verifyImage(place, { keys: [theirs] })).toMatchObject({
      digest: place.digest,
      signatures: [{ format }],
    })
    await expect(verifyImage(place, { keys: [ours.publicKey] })).rejects.toMatchObject({
      code: 'ERR_SIGNATURE_INVALID',
    })
    await sign(place.pinned, ...options, '--key', `${inside}/ours.key`)
    expect(await verifyImage(place, { keys: [ours.publicKey] })).toMatchObject({ signatures: [{ format }] })
    const read = await loadSigningKey(readFileSync(at('theirs.key'), 'utf8'), { password })
    expect(read.publicKey).toBe(theirs)
  })

  test('attests what is verified here', async () => {
    const place = await pushed('attested')
    writeFileSync(at('predicate.json'), '{"n":1}')
    const type = 'https://example.org/tested/v1'
    await sign(place.pinned)
    const attest = [
      'attest',
      '--key',
      `${inside}/theirs.key`,
      '--predicate',
      `${inside}/predicate.json`,
      '--type',
      type,
    ]
    const flags = ['--tlog-upload=false', '--use-signing-config=false', '--yes', '--allow-http-registry']
    await cosign(...attest, ...flags, place.pinned)
    const keys = [readFileSync(at('theirs.pub'), 'utf8')]
    const { attestations } = await verifyImage(place, { keys, attestations: [type] })
    expect(attestations).toMatchObject([{ predicateType: type, predicate: { n: 1 } }])
  })

  test('saves a layout whose signatures a policy verifies when it is loaded', async () => {
    const place = await pushed('saved')
    await sign(place.pinned, '--new-bundle-format=false')
    await cosign('save', '--allow-http-registry', '--dir', `${inside}/saved`, place.reference)
    await run(script, ['exec', 'tar', '-C', `${inside}/saved`, '-cf', `${inside}/saved.tar`, '.'])
    const policy = { version: 1, default: { keys: ['theirs.pub'] } }
    writeFileSync(at('policy.json'), JSON.stringify(policy))
    const { verifyAt } = await loadPolicy(at('policy.json'))
    const name = place.reference
    const load = (options: object) =>
      loadArchive(createMemoryStore(), at('saved.tar'), { image: '@0', name, ...options })
    expect(await load({ verify: verifyAt })).toMatchObject([{ names: [name] }])
    const others = { version: 1, default: { keys: ['ours.pub'] } }
    writeFileSync(at('policy.json'), JSON.stringify(others))
    await expect(load({ verify: (await loadPolicy(at('policy.json'))).verifyAt })).rejects.toMatchObject({
      code: 'ERR_POLICY_REFUSED',
    })
  })
})
