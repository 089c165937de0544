import { createHash } from 'node:crypto'

/** The sha256 digest of a text. */
export function sampleDigest(text = ''): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}

/** A valid descriptor as plain data; `members` replace its members. */
export function sampleDescriptor(members: object = {}): Record<string, unknown> {
  return {
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    digest: sampleDigest(),
    size: 0,
    ...members,
  }
}

/** A valid image manifest as plain data; `members` replace its members. */
export function sampleManifest(members: object = {}): Record<string, unknown> {
  return {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: sampleDescriptor({ mediaType: 'application/vnd.oci.image.config.v1+json' }),
    layers: [sampleDescriptor()],
    ...members,
  }
}

/** A valid image index as plain data; `members` replace its members. */
export function sampleIndex(members: object = {}): Record<string, unknown> {
  return {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      sampleDescriptor({
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        platform: { os: 'linux', architecture: 'amd64' },
      }),
    ],
    ...members,
  }
}

/** A valid image config as plain data; `members` replace its members. */
export function sampleConfig(members: object = {}): Record<string, unknown> {
  return {
    architecture: 'amd64',
    os: 'linux',
    config: { Env: ['PATH=/bin'], Cmd: ['/bin/sh'] },
    rootfs: { type: 'layers', diff_ids: [sampleDigest()] },
    history: [{ created: '2026-01-01T00:00:00Z', created_by: 'test' }],
    ...members,
  }
}

/** The bytes of a value as JSON. */
export function jsonBytes(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}
