import { expect, test } from 'vitest'
import { IndexDraft } from '../../lib/disk-store/references/index-draft.ts'
import { descriptorOf, parseIndexFile } from '../../lib/disk-store/references/index-file.ts'
import { adviseOn, createOwner, describeOwner } from '../../lib/internal/locks/owner.ts'

const digest = `sha256:${'a'.repeat(64)}`
const index = () =>
  parseIndexFile(
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        manifests: [
          {
            mediaType: 'application/vnd.oci.image.manifest.v1+json',
            digest,
            size: 2,
            annotations: { 'org.opencontainers.image.ref.name': 'app:1' },
          },
        ],
      }),
    ),
  )

test('a name that the index does not have has no descriptor and no digest, and nothing removes it', () => {
  const draft = new IndexDraft(index())
  expect(descriptorOf(index(), 'other:1')).toBeUndefined()
  expect(draft.digestOf('other:1')).toBeUndefined()
  expect(draft.deleteIf('other:1', digest)).toBe(false)
  expect(draft.delete('other:1')).toBe(false)
  expect(draft.changed).toBe(false)
})

test('a name is removed only while it refers to the digest', () => {
  const draft = new IndexDraft(index())
  expect(draft.digestOf('app:1')).toBe(digest)
  expect(draft.deleteIf('app:1', `sha256:${'b'.repeat(64)}`)).toBe(false)
  expect(draft.deleteIf('app:1', digest)).toBe(true)
  expect(draft.digestOf('app:1')).toBeUndefined()
  expect(draft.changed).toBe(true)
})

test('the advice about a holder says what is known of it', async () => {
  const here = await createOwner()
  expect(describeOwner(undefined)).toBe('another process')
  expect(await adviseOn(undefined)).toContain('cannot be read')
  expect(await adviseOn({ ...here, host: 'elsewhere' })).toContain('another machine')
  expect(await adviseOn(here)).toContain(`kill ${process.pid}`)
  // No process has the largest pid of the kernel, so nothing is known of its state.
  expect(await adviseOn({ ...here, pid: 4_194_305 })).toContain('it is running')
})
