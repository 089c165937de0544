import type { Image } from '../../image/index.ts'
import type { Descriptor } from '../../oci/index.ts'
import { UsageError } from '../failing/usage-error.ts'
import type { Inspected } from './inspect-stored.ts'

/**
 * Makes the document that `docker inspect` prints of an image, for `--format`. Members of docker's own storage are
 * left out. `Id` is the digest of the manifest or index, as in the containerd store of docker; `Size` that of the
 * compressed layers.
 *
 * @throws {@link UsageError} for anything but an image, or an index with an image for this machine.
 */
export function dockerDocument(name: string, root: Descriptor, found: Inspected): Record<string, unknown> {
  const image = 'config' in found && found.config ? (found as Image) : undefined
  if (!image) throw new UsageError(`--format is for images; ${name} is ${found.kind}: use --json`)
  const { config, layers } = image
  const repository = name.replace(/@.*$/, '').replace(/:[^:/]*$/, '')
  return {
    Id: root.digest,
    RepoTags: name.includes('@') ? [] : [name],
    RepoDigests: [`${repository}@${root.digest}`],
    Comment: config.history?.at(-1)?.comment ?? '',
    Created: config.created ?? '',
    Author: config.author ?? '',
    Architecture: config.architecture ?? '',
    Variant: config.variant ?? '',
    Os: config.os ?? '',
    Size: layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0),
    Config: config.config ?? {},
    RootFS: { Type: 'layers', Layers: layers.map(({ diffId }) => diffId) },
    Descriptor: root,
  }
}
