import { expect, test } from 'vitest'
import {
  Annotation,
  IMAGE_MEDIA_TYPES,
  isConfigType,
  isEncryptedLayerType,
  isForeignLayerType,
  isIndexType,
  isLayerType,
  isManifestType,
  Limits,
  MediaType,
} from '../../lib/oci/index.ts'

const all = Object.values(MediaType)

test('every media type is of at most one kind', () => {
  for (const type of all) {
    const kinds = [isManifestType, isIndexType, isConfigType, isLayerType].filter(is => is(type))
    expect([type, kinds.length]).toEqual([type, type === MediaType.OciEmpty ? 0 : 1])
  }
})

test('manifests, indexes and configs exist in an OCI and a Docker form', () => {
  expect(all.filter(isManifestType)).toEqual([MediaType.OciManifest, MediaType.DockerManifest])
  expect(all.filter(isIndexType)).toEqual([MediaType.OciIndex, MediaType.DockerManifestList])
  expect(all.filter(isConfigType)).toEqual([MediaType.OciConfig, MediaType.DockerConfig])
})

test('a layer may have an unknown compression', () => {
  expect(isLayerType('application/vnd.oci.image.layer.v1.tar+brotli')).toBe(true)
  expect(isLayerType('application/vnd.docker.image.rootfs.diff.tar.zstd')).toBe(true)
})

test.each([
  'application/vnd.oci.image.layer.v1.tar+encrypted',
  'application/vnd.oci.image.layer.v1.tar+gzip+encrypted',
  'application/vnd.docker.image.rootfs.diff.tar.gzip+encrypted',
])('%s is an encrypted layer', type => {
  expect([isLayerType(type), isEncryptedLayerType(type)]).toEqual([true, true])
})

test.each([MediaType.OciLayerGzip, 'application/vnd.example+encrypted', 'x/tar+encrypted+gzip'])(
  '%s is not an encrypted layer',
  type => {
    expect(isEncryptedLayerType(type)).toBe(false)
  },
)

test.each([
  'application/vnd.oci.image.layer.nondistributable.v1.tar',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
])('%s is a foreign layer', type => {
  expect([isLayerType(type), isForeignLayerType(type)]).toEqual([true, true])
})

test.each([
  MediaType.OciLayerGzip,
  MediaType.OciManifest,
  'application/x.foreign.thing',
  'x application/vnd.oci.image.layer.nondistributable.v1.tar',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip; q=1',
])('%s is not', type => {
  expect(isForeignLayerType(type)).toBe(false)
})

test('registries are asked for every kind of image: OCI before Docker, indexes first', () => {
  expect(IMAGE_MEDIA_TYPES.every(type => isManifestType(type) || isIndexType(type))).toBe(true)
  expect([...IMAGE_MEDIA_TYPES].sort()).toEqual(all.filter(t => isManifestType(t) || isIndexType(t)).sort())
  expect(IMAGE_MEDIA_TYPES[0]).toBe(MediaType.OciIndex)
})

test('annotation keys and limits are the published ones', () => {
  expect(Annotation.RefName).toBe('org.opencontainers.image.ref.name')
  expect(Annotation.BaseName).toBe('org.opencontainers.image.base.name')
  expect(Annotation.BaseDigest).toBe('org.opencontainers.image.base.digest')
  expect(Limits.manifestBytes).toBe(4_194_304)
})
