import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createRegistryServer, type RegistryServer } from '../../../lib/server/index.ts'
import { createMemoryStore, type Store } from '../../../lib/store/index.ts'
import { pushImage } from '../../../lib/transfer/index.ts'
import {
  generateSigningKeys,
  loadSigningKey,
  loadVerificationKey,
  signImage,
  verifyImage,
} from '../../../lib/trust/index.ts'
import { needs } from '../../helpers/needs.ts'
import { needsProgram } from '../../helpers/needs-program.ts'
import { registryClientFor } from '../../helpers/registry-client-for.ts'
import { sampleImage } from '../../helpers/sample-image.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

const run = promisify(execFile)
const password = 'canary-password'

let directory: ReturnType<typeof temporaryDirectory>
beforeAll(() => {
  directory = temporaryDirectory('signatures')
})
afterAll(() => directory[Symbol.dispose]())

/** Writes a file into the directory of the test and returns its path. */
function file(name: string, content: string | Uint8Array): string {
  const path = join(directory.path, name)
  writeFileSync(path, content)
  return path
}

describe.runIf(needsProgram('openssl'))('openssl', () => {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })

  test.each([
    ['ecdsa-p256', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout']],
    ['ed25519', ['genpkey', '-algorithm', 'ed25519']],
    ['rsa', ['genrsa', '2048']],
  ] as const)('verifies a signature of this library, and the other way round: %s', async (algorithm, make) => {
    const at = file(`${algorithm}.key`, openssl(...make))
    const key = await loadSigningKey(readFileSync(at, 'utf8'))
    expect(key.algorithm).toBe(algorithm)
    const message = file(`${algorithm}.txt`, 'what is signed')
    const signature = file(`${algorithm}.sig`, await key.sign(readFileSync(message)))
    const publicKey = file(`${algorithm}.pub`, key.publicKey)
    const digest = algorithm === 'ed25519' ? ['-rawin'] : ['-rawin', '-digest', 'sha256']
    const verified = openssl(
      'pkeyutl',
      '-verify',
      '-pubin',
      '-inkey',
      publicKey,
      ...digest,
      '-in',
      message,
      '-sigfile',
      signature,
    )
    expect(`${verified}`).toMatch(/Verified Successfully/)
    const theirs = `${signature}.theirs`
    openssl('pkeyutl', '-sign', '-inkey', at, ...digest, '-in', message, '-out', theirs)
    const verifier = loadVerificationKey(`${openssl('pkey', '-in', at, '-pubout')}`)
    expect(verifier.verify(readFileSync(message), readFileSync(theirs))).toBe(true)
  })
})

/** Script that runs a program in the tree of an engine, and that tree; the skopeo of Debian 12 has no sigstore. */
const { DOCKER_ENGINE: script = '', DOCKER_ENGINE_DIR: tree = '/var/tmp/docker-engine' } = process.env

describe.runIf(needs(script !== '', 'DOCKER_ENGINE names no script that runs a skopeo with sigstore'))('skopeo', () => {
  const registry = registryClientFor()
  let store: Store
  let server: RegistryServer
  let host: string
  let keys: { privateKey: string; publicKey: string }
  let inside: string
  let flags: string[]
  const skopeo = (...args: string[]) => run(script, ['exec', 'skopeo', ...args], { timeout: 240_000 })

  beforeAll(async () => {
    store = createMemoryStore()
    server = createRegistryServer(createMemoryStore())
    host = (await server.listen()).url.replace('http://', '')
    keys = await generateSigningKeys({ password })
    await sampleImage(store, [{ file: 'one' }], { name: 'app' })
    await pushImage(store, registry, 'app', `${host}/team/app:1`)
    const at = mkdtempSync(join(tree, 'tmp/layerstore-signatures-'))
    inside = at.slice(tree.length)
    mkdirSync(join(at, 'registries.d'))
    const signedIdentity = { type: 'matchRepository' }
    const rules = { [host]: [{ type: 'sigstoreSigned', keyPath: `${inside}/cosign.pub`, signedIdentity }] }
    const files = {
      'cosign.key': keys.privateKey,
      'cosign.pub': keys.publicKey,
      pass: password,
      'policy.json': JSON.stringify({ default: [{ type: 'reject' }], transports: { docker: rules } }),
      'registries.d/local.yaml': `docker:\n  ${host}:\n    use-sigstore-attachments: true\n`,
    }
    for (const [name, content] of Object.entries(files)) writeFileSync(join(at, name), content)
    flags = ['--policy', `${inside}/policy.json`, '--registries.d', `${inside}/registries.d`]
  })
  afterAll(async () => {
    await registry.close()
    await server.close()
    await store.close()
    rmSync(join(tree, inside), { recursive: true })
  })

  test('pulls by its policy what was signed here, and nothing else', async () => {
    const places = [`docker://${host}/team/app:1`, `oci:${inside}/got:1`]
    const pull = () => skopeo(...flags, 'copy', '--src-tls-verify=false', '--remove-signatures', ...places)
    await expect(pull()).rejects.toMatchObject({ stderr: expect.stringMatching(/signature was required/) })
    const key = await loadSigningKey(keys.privateKey, { password })
    await signImage({ registry, reference: `${host}/team/app:1` }, { key, format: 'simple-signing' })
    await pull()
    expect(existsSync(join(tree, inside, 'got/index.json'))).toBe(true)
  })

  test('signs with a key that was made here, and its signature is verified here', async () => {
    await sampleImage(store, [{ file: 'two' }], { name: 'two' })
    await pushImage(store, registry, 'two', `${host}/team/unsigned:1`)
    const signing = [
      '--sign-by-sigstore-private-key',
      `${inside}/cosign.key`,
      '--sign-passphrase-file',
      `${inside}/pass`,
    ]
    const plain = ['--src-tls-verify=false', '--dest-tls-verify=false']
    const [from, to] = [`docker://${host}/team/unsigned:1`, `docker://${host}/team/app:skopeo`]
    await skopeo('--insecure-policy', ...flags.slice(2), 'copy', ...plain, ...signing, from, to)
    const place = { registry, reference: `${host}/team/app:skopeo` }
    const found = await verifyImage(place, { keys: [keys.publicKey] })
    expect(found.signatures).toMatchObject([{ format: 'simple-signing', by: { kind: 'key' } }])
    expect((await verifyImage(place, { keys: [keys.publicKey], signedName: place.reference })).signatures).toHaveLength(
      1,
    )
    const { publicKey: other } = await generateSigningKeys()
    await expect(verifyImage(place, { keys: [other] })).rejects.toMatchObject({ code: 'ERR_SIGNATURE_INVALID' })
  })
})
