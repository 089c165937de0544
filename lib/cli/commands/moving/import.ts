import { importTar } from '../../../archive/index.ts'
import { parsePlatform, parseReference } from '../../../oci/index.ts'
import { notEmpty } from '../../arguments/not-empty.ts'
import { stdinOf } from '../../arguments/stdin-of.ts'
import { UsageError } from '../../failing/usage-error.ts'
import type { Session } from '../../session/session.ts'
import { type RunConfigOptions, runConfigOf } from '../composing/run-config.ts'
import { compressionOf } from '../composing/writing-policies.ts'

/** Options of `import`. */
export interface ImportOptions extends RunConfigOptions {
  readonly tag?: string
  readonly platform?: string
  readonly compression?: string
}

/** `import TAR -t NAME`: creates a one-layer image from the tar of a root filesystem, and names it. */
export async function importCommand(session: Session, source: string, options: ImportOptions): Promise<void> {
  const { tag } = options
  notEmpty(source, 'the name of the tar')
  if (!tag) throw new UsageError('import needs a name for the image: -t NAME')
  parseReference(tag)
  const config = runConfigOf(options)
  const platform = options.platform ? parsePlatform(options.platform) : undefined
  const compression = compressionOf(options.compression)
  const tar = source === '-' ? stdinOf(session) : source
  const { hasher, signal } = session
  const store = await session.store()
  const image = await importTar(store, tar, { config, platform, compression, hasher, signal })
  const name = await store.references.set(tag, image.descriptor, { signal })
  session.result(image.descriptor.digest, { name, ...image.descriptor, layers: image.layers })
}
