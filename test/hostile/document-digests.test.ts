import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import {
  type Descriptor,
  parseConfig,
  parseDescriptor,
  parseImageDocument,
  parseManifest,
} from '../../lib/oci/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { readAll } from '../helpers/read-all.ts'
import { jsonBytes, sampleConfig, sampleDescriptor, sampleIndex, sampleManifest } from '../helpers/sample-documents.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

/* CVE-2024-3727: programs make paths and URLs of the digests in documents. */

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
  ['dgst-traversal-of-unknown-algorithm', 'sha999:../../../../etc/passwd'],
  ['dgst-dots-in-unknown-algorithm', `sha..999:${hex}`],
  ['dgst-separator-first', `+sha999:${hex}`],
  ['dgst-slash-of-unknown-algorithm', 'sha999:a/b'],
  ['dgst-percent-of-unknown-algorithm', 'sha999:%2e%2e%2f'],
  ['dgst-endless-of-unknown-algorithm', `sha999:${'a'.repeat(100_000)}`],
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

const unverifiable: [name: string, digest: string][] = [
  ['dgst-md5', 'md5:d41d8cd98f00b204e9800998ecf8427e'],
  ['dgst-unknown-algorithm', `sha999:${hex}`],
  ['dgst-inherited-algorithm', `constructor:${hex}`],
  ['dgst-of-image-spec', 'sha256+b64u.unknownlength:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564='],
]

test.each(unverifiable)('%s is carried in a descriptor, and refused as a diffID', async (_, digest) => {
  const descriptor = sampleDescriptor({ digest })
  const { subject } = parseManifest(jsonBytes(sampleManifest({ subject: descriptor })))
  expect(subject).toEqual(descriptor)
  const config = jsonBytes(sampleConfig({ rootfs: { type: 'layers', diff_ids: [digest] } }))
  expect(await thrownBy(() => parseConfig(config))).toMatchObject({ at: 'rootfs.diff_ids[0]' })
})

test.each(unverifiable)(
  '%s reaches no path: every act on the blob itself says that it cannot be verified',
  async (_, digest) => {
    using directory = temporaryDirectory('digests')
    await using disk = await openStore(directory.path)
    await disk.put(Buffer.from('opened'))
    const before = readdirSync(directory.path, { recursive: true }).sort()
    for (const store of [disk, createMemoryStore()]) {
      for (const act of actsOn(store, parseDescriptor(sampleDescriptor({ digest })))) {
        const error = await thrownBy(act)
        expect(error).toMatchObject({ code: 'ERR_INVALID_DIGEST', message: expect.stringContaining('cannot verify') })
      }
    }
    expect(readdirSync(directory.path, { recursive: true }).sort()).toEqual(before)
  },
)

function actsOn(store: Store, descriptor: Descriptor): (() => Promise<unknown>)[] {
  const { digest } = descriptor
  return [
    () => store.stat(digest),
    () => readAll(store.read(digest)),
    () => store.put(Buffer.from('x'), { digest }),
    () => store.delete(digest),
    () => store.leases.touch(digest),
    () => store.references.set('app:1', descriptor),
  ]
}
