import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { saveArchive } from '../../../lib/archive/index.ts'
import { type CacheSource, from, importCache } from '../../../lib/build/index.ts'
import { openStore } from '../../../lib/disk-store/index.ts'
import { createMemoryStore } from '../../../lib/store/index.ts'
import { generateSigningKeys, loadPolicy, loadSigningKey, signImage } from '../../../lib/trust/index.ts'
import { buildFiles } from '../../helpers/build-files.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'

const files = { 'a.txt': 'one' }

test.each([
  ['that has the name of every exported cache', undefined, 'cache'],
  ['with a bare name', 'mine', 'mine'],
] as const)('a cache in a layout or an archive %s is of no repository', async (_, name, repository) => {
  using place = temporaryDirectory('policy-cache')
  const file = (path: string, content: unknown) => {
    writeFileSync(join(place.path, path), typeof content === 'string' ? content : JSON.stringify(content))
    return join(place.path, path)
  }
  const pair = await generateSigningKeys()
  const key = await loadSigningKey(pair.privateKey)
  file('team.pub', pair.publicKey)
  const directory = join(place.path, 'cache')
  const archive = join(place.path, 'cache.tar')
  await buildFiles(createMemoryStore(), from('scratch').copy('.', '/'), files, { cacheTo: [{ directory, name }] })
  const sources: CacheSource[] = name === undefined ? [{ directory }, { archive }] : [{ directory, name }]
  const signed = async (as: string) => {
    await using layout = await openStore(directory)
    await signImage({ store: layout, name: name ?? 'cache:latest' }, { key, name: as, format: 'simple-signing' })
    const images = []
    for await (const { name, descriptor } of layout.references.list()) images.push({ image: descriptor, name })
    await saveArchive(layout, images, archive)
  }
  const verified = async (path: string, source: CacheSource) => {
    const { verify } = await loadPolicy(path)
    await using cache = await importCache(source, { verify })
    return cache.records.size
  }
  const keys = ['team.pub']
  const repositories = { [`docker.io/library/${repository}`]: 'reject' }
  const own = file('own.json', { version: 1, default: { keys }, repositories })
  const signedBy = { type: 'sigstoreSigned', keyPath: join(place.path, 'team.pub') }
  const matched = [{ ...signedBy, signedIdentity: { type: 'matchRepository' } }]
  const containers = file('containers.json', { default: matched, transports: {} })
  await signed('ghcr.io/team/cache')
  for (const source of sources) expect(await verified(own, source)).toBe(1)
  await signed(`docker.io/library/${repository}`)
  for (const source of sources) {
    const error = await thrownBy(() => verified(containers, source))
    const label = 'archive' in source ? `oci-archive:${archive}` : `oci:${directory}`
    expect(error).toMatchObject({ code: 'ERR_POLICY_REFUSED' })
    expect((error as Error).message).toContain(`${label}:${name ?? 'cache:latest'}`)
  }
})
