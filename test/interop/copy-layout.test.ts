import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createMemoryStore } from '../../lib/store/index.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

test.runIf(needsProgram('skopeo'))('skopeo finds our copy in oci:DIR:TAG, and we find its copy', async () => {
  using directory = temporaryDirectory('copy-layout')
  const remote = createMemoryStore()
  const { descriptor } = await sampleImage(remote, [{ a: 'a' }], { name: 'app:1' })
  await using server = await serveStore(remote)
  const [ours, theirs] = [join(directory.path, 'ours'), join(directory.path, 'theirs')]
  const run = (...args: string[]) => cli(args, { store: join(directory.path, 'store') })
  expect((await run('copy', `${server.host}/app:1`, `oci:${ours}:v1`)).code).toBe(0)
  const skopeo = (...args: string[]) => execFileSync('skopeo', args, { encoding: 'utf8' })
  expect(skopeo('inspect', '--format', '{{.Digest}}', `oci:${ours}:v1`).trim()).toBe(descriptor.digest)
  skopeo('copy', '--quiet', '--insecure-policy', '--preserve-digests', `oci:${ours}:v1`, `oci:${theirs}:v2`)
  expect((await run('copy', `oci:${theirs}:v2`, 'store:back:1')).stdout).toBe(`${descriptor.digest}\n`)
})
