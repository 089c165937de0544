import { expect, test } from 'vitest'
import { ArchiveLimits } from '../../lib/archive/index.ts'
import { MemberTable } from '../../lib/archive/members/member-table.ts'
import { dockerArchive } from '../helpers/docker-archive.ts'
import { type RawEntry, rawTar } from '../helpers/raw-tar.ts'
import { refusedArchive } from '../helpers/refused-archive.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const { entries } = dockerArchive()
const layerAt = entries.findIndex(({ path }) => `${path}`.endsWith('layer.tar'))
const layer = entries[layerAt]!
const config = entries.find(({ path }) => /^[0-9a-f]{64}\.json$/.test(`${path}`))!
const instead = (old: RawEntry, ...by: RawEntry[]) => rawTar(entries.flatMap(entry => (entry === old ? by : [entry])))
const link = (to: string) => instead(layer, { path: layer.path, link: to })
const layout = 'ERR_INVALID_LAYOUT'

test.each([
  ['da-layer-link-abs', link('/etc/passwd'), layout],
  ['da-layer-link-out', link('../../../etc/passwd'), layout],
  ['da-layer-link-loop', link('layer.tar'), layout],
  ['da-layer-link-missing', link('../none/layer.tar'), layout],
  ['da-layer-link-to-directory', link('.'), layout],
  [
    'da-layer-link-12-hops',
    rawTar([
      ...entries.filter(entry => entry !== layer),
      { path: layer.path, link: '../l0' },
      ...Array.from({ length: 12 }, (_, i) => ({ path: `l${i}`, link: `l${i + 1}` })),
      { ...layer, path: 'l12' },
    ]),
    layout,
  ],
  ['da-layer-device', instead(layer, { path: layer.path, type: '3' }), layout],
  ['da-layer-fifo', instead(layer, { path: layer.path, type: '6' }), layout],
  ['da-layer-directory', instead(layer, { path: `${layer.path}/` }), layout],
  ['da-layer-hard-link-to-nothing', instead(layer, { path: layer.path, link: 'none', type: '1' }), layout],
  ['da-layer-hard-link-to-itself', instead(layer, { path: layer.path, link: layer.path, type: '1' }), layout],
  ['da-dup-layer', instead(layer, layer, { ...layer, content: 'other' }), layout],
  ['da-dup-layer-same', instead(layer, layer, layer), layout],
  ['da-dup-layer-dot', instead(layer, layer, { ...layer, path: `./${layer.path}` }), layout],
  ['da-dup-layer-and-link', instead(layer, layer, { path: layer.path, link: 'x' }), layout],
  ['da-dup-config', instead(config, config, { ...config, content: '{}' }), layout],
  ['da-dup-manifest', rawTar([...entries, { path: 'manifest.json', content: '[]' }]), layout],
  [
    'da-manifest-link',
    rawTar([...entries.filter(e => e.path !== 'manifest.json'), { path: 'manifest.json', link: '/etc/passwd' }]),
    layout,
  ],
  [
    'da-config-huge',
    instead(config, { ...config, content: Buffer.alloc(5 * 1024 * 1024, 0x20) }),
    'ERR_LIMIT_EXCEEDED',
  ],
  ['da-path-entry-out', rawTar([...entries, { path: '../../etc/cron.d/x', content: 'x' }]), 'ERR_INVALID_TAR'],
  ['da-empty', Buffer.alloc(1024), layout],
  ['da-nothing', Buffer.alloc(0), layout],
  ['da-no-tar', Buffer.alloc(4096, 0x41), 'ERR_INVALID_TAR'],
  ['da-xz', Buffer.from('fd377a585a00000000', 'hex'), 'ERR_UNSUPPORTED_COMPRESSION'],
])('%s is refused', async (_, tar, code) => {
  expect(await refusedArchive(tar)).toEqual([code, code, code])
})

test('da-many-entries: an archive of more entries than anybody needs is refused', async () => {
  const table = new MemberTable()
  for (let i = 0; i < ArchiveLimits.entries; i++) table.add({ path: 'd', type: 'directory' })
  expect(await thrownBy(() => table.add({ path: 'd', type: 'directory' }))).toMatchObject({
    code: 'ERR_LIMIT_EXCEEDED',
  })
})

test('da-long-names: names of more than 16 MiB together are refused', async () => {
  const long = Array.from({ length: 4200 }, (_, i) => ({ path: `${'d'.repeat(4000)}${i}`, link: 'x' }))
  expect(await refusedArchive(rawTar(long))).toEqual(Array(3).fill('ERR_LIMIT_EXCEEDED'))
})

test('da-truncated: an archive that ends anywhere before its list is refused', async () => {
  const tar = rawTar(entries)
  const end = tar.indexOf('manifest.json')
  for (let at = 1; at < end; at += 700) {
    for (const code of await refusedArchive(tar.subarray(0, at))) {
      expect(code, `cut at ${at}`).toMatch(/^ERR_INVALID_(TAR|LAYOUT)$/)
    }
  }
})

test('da-extra: other files, links and devices beside the images mean nothing', async () => {
  const others: RawEntry[] = [
    { path: 'dev', type: '3' },
    { path: 'blobs', link: '/etc' },
    { path: 'index.json', link: '/etc/passwd' },
    { path: 'readme', content: 'x' },
  ]
  await expect(refusedArchive(rawTar([...others, ...entries]))).rejects.toThrow('nothing was thrown')
})
