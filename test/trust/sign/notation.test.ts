import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { createMemoryStore } from '../../../lib/store/index.ts'
import { copyImage, pushImage } from '../../../lib/transfer/index.ts'
import { generateSigningKeys, verifyImage } from '../../../lib/trust/index.ts'
import { needs } from '../../helpers/needs.ts'
import { sampleImage } from '../../helpers/sample-image.ts'
import { serveStore } from '../../helpers/serve-store.ts'
import { ref, registry, serveRegistry, store } from '../../helpers/served-registry.ts'

serveRegistry()

/* The notation of Debian, in the tree of an engine (DOCKER_ENGINE). */
const { DOCKER_ENGINE: script = '', DOCKER_ENGINE_DIR: tree = '/var/tmp/docker-engine' } = process.env
const hasNotation = script !== '' && existsSync(join(tree, 'usr/bin/notation'))
const run = promisify(execFile)

test.runIf(needs(hasNotation, 'DOCKER_ENGINE names no script with a tree that has notation'))(
  'a signature of notation is named, travels with a copy, and notation verifies it there',
  async () => {
    const home = mkdtempSync(join(tree, 'tmp/layerstore-notation-'))
    const inside = home.slice(tree.length)
    const notation = (...args: string[]) =>
      run(script, ['exec', 'env', `XDG_CONFIG_HOME=${inside}`, `HOME=${inside}`, 'notation', ...args], {
        timeout: 240_000,
      })
    try {
      await notation('cert', 'generate-test', '--default', 'tester')
      const trust = { name: 'all', registryScopes: ['*'], signatureVerification: { level: 'strict' } }
      const policy = { ...trust, trustStores: ['ca:tester'], trustedIdentities: ['*'] }
      mkdirSync(join(home, 'notation'), { recursive: true })
      writeFileSync(
        join(home, 'notation/trustpolicy.json'),
        JSON.stringify({ version: '1.0', trustPolicies: [policy] }),
        { mode: 0o600 },
      )
      const { digest } = (await sampleImage(store, [{ file: 'one' }], { name: 'app' })).descriptor
      await pushImage(store, registry, 'app', ref('team/app:1'))
      await notation('sign', '--insecure-registry', ref(`team/app@${digest}`))
      await using target = await serveStore(createMemoryStore())
      const to = { registry, reference: `${target.host}/other/app:1` }
      const verify = () => notation('verify', '--insecure-registry', `${target.host}/other/app@${digest}`)
      await copyImage({ registry, reference: ref('team/app:1') }, to)
      await expect(verify()).rejects.toMatchObject({ stderr: expect.stringMatching(/no signature/) })
      await copyImage({ registry, reference: ref('team/app:1') }, to, { referrers: true })
      expect((await verify()).stdout).toMatch(/Successfully verified/)
      const { publicKey } = await generateSigningKeys()
      await expect(verifyImage(to, { keys: [publicKey] })).rejects.toMatchObject({
        code: 'ERR_SIGNATURE_MISSING',
        reasons: [expect.stringMatching(/not verified here: a signature of Notation/)],
      })
    } finally {
      rmSync(home, { recursive: true })
    }
  },
)
