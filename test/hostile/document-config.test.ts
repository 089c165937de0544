import { expect, test } from 'vitest'
import { parseConfig, parseManifest } from '../../lib/oci/index.ts'
import { jsonBytes, sampleConfig, sampleDigest, sampleManifest } from '../helpers/sample-documents.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

test.each([
  ['config-missing', undefined],
  ['config-null', null],
  ['config-array', []],
  ['config-string', sampleDigest()],
])('%s: a manifest without a config is refused', async (_, config) => {
  expect(await thrownBy(() => parseManifest(jsonBytes(sampleManifest({ config }))))).toMatchObject({
    code: 'ERR_INVALID_MANIFEST',
    at: 'config',
  })
})

test.each([
  ['rootfs-missing', undefined, 'rootfs'],
  ['rootfs-null', null, 'rootfs'],
  ['rootfs-array', [], 'rootfs'],
  ['rootfs-type-missing', { diff_ids: [] }, 'rootfs.type'],
  ['rootfs-type-unknown', { type: 'layers+base', diff_ids: [] }, 'rootfs.type'],
  ['diffid-object', { type: 'layers', diff_ids: {} }, 'rootfs.diff_ids'],
  ['diffid-number', { type: 'layers', diff_ids: [1] }, 'rootfs.diff_ids[0]'],
  ['diffid-null', { type: 'layers', diff_ids: [sampleDigest(), null] }, 'rootfs.diff_ids[1]'],
])('%s is refused', async (_, rootfs, at) => {
  expect(await thrownBy(() => parseConfig(jsonBytes(sampleConfig({ rootfs }))))).toMatchObject({
    code: 'ERR_INVALID_CONFIG',
    at,
  })
})
