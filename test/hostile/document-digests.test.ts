import { expect, test } from 'vitest'
import { parseConfig, parseImageDocument } from '../../lib/spec/index.ts'
import { jsonBytes, sampleConfig, sampleDescriptor, sampleIndex, sampleManifest } from '../helpers/sample-documents.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

/* CVE-2024-3727: digests of documents become paths and URLs. */

const hex = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

const hostile: [name: string, digest: unknown][] = [
  ['dgst-empty', ''],
  ['dgst-no-colon', hex],
  ['dgst-no-hex', 'sha256:'],
  ['dgst-short', `sha256:${hex.slice(1)}`],
  ['dgst-long', `sha256:${hex}0`],
  ['dgst-upper', `sha256:${hex.toUpperCase()}`],
  ['dgst-upper-algorithm', `SHA256:${hex}`],
  ['dgst-traversal', 'sha256:../../../../etc/passwd'],
  ['dgst-traversal-long', `sha256:${'../'.repeat(21)}a`],
  ['dgst-traversal-algorithm', `../../x:${hex}`],
  ['dgst-absolute', '/etc/passwd'],
  ['dgst-slash', `sha256:${hex.slice(0, 31)}/${hex.slice(32)}`],
  ['dgst-backslash', `sha256:${hex.slice(0, 31)}\\${hex.slice(32)}`],
  ['dgst-nul', `sha256:${hex.slice(1)}\0`],
  ['dgst-newline', `sha256:${hex}\n`],
  ['dgst-query', `sha256:${hex}?x=y`],
  ['dgst-space', ` sha256:${hex}`],
  ['dgst-md5', 'md5:d41d8cd98f00b204e9800998ecf8427e'],
  ['dgst-unknown-algorithm', `sha999:${hex}`],
  ['dgst-inherited-algorithm', `constructor:${hex}`],
  ['dgst-wrong-length-for-algorithm', `sha512:${hex}`],
  ['dgst-number', 5],
  ['dgst-null', null],
  ['dgst-array', [`sha256:${hex}`]],
  ['dgst-wide-digits', `sha256:${'０'.repeat(64)}`],
]

test.each(hostile)('%s reaches no path: refused in every place of every document', async (_, digest) => {
  const bad = sampleDescriptor({ digest })
  const documents: [string, object][] = [
    ['config.digest', sampleManifest({ config: bad })],
    ['layers[0].digest', sampleManifest({ layers: [bad] })],
    ['subject.digest', sampleManifest({ subject: bad })],
    ['manifests[0].digest', sampleIndex({ manifests: [bad] })],
    ['subject.digest', sampleIndex({ subject: bad })],
  ]
  for (const [at, document] of documents) {
    expect(await thrownBy(() => parseImageDocument(jsonBytes(document)))).toMatchObject({ at })
  }
  const config = jsonBytes(sampleConfig({ rootfs: { type: 'layers', diff_ids: [digest] } }))
  expect(await thrownBy(() => parseConfig(config))).toMatchObject({ at: 'rootfs.diff_ids[0]' })
})
