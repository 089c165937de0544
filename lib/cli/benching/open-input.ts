import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { ReferenceNotFoundError, SourceError } from '../../errors/index.ts'
import { composeImage, type Image } from '../../image/index.ts'
import { fromDirectory, fromFiles, writeLayer } from '../../layer/index.ts'
import type { Store } from '../../store/index.ts'
import type { ImageBlobs } from '../reading/image-blobs.ts'
import { readInput } from '../reading/read-input.ts'
import type { Session } from '../session/session.ts'
import type { BenchedInput } from './bench-report.ts'

/** Entries of a layer. */
export type Entries = Parameters<typeof writeLayer>[1]

/** An input of `bench`, opened: an image, or files that were made one. */
export interface OpenedInput extends BenchedInput {
  readonly blobs: ImageBlobs
  readonly image: Image
  /** Returns the entries of the layer of a file or directory, read anew; `undefined` for an image. */
  readonly entries: (() => Entries) | undefined
}

/** Means of {@link openInput}. */
export interface InputMeans {
  /** Store that receives files. */
  readonly scratch: Store
  /** Opens an image. */
  readonly locate: (name: string) => Promise<{ readonly blobs: ImageBlobs; readonly image: Image }>
}

/**
 * Opens a file or a directory if there is one of this name, else an image. Files become an image in a scratch store.
 */
export async function openInput(session: Session, name: string, { scratch, locate }: InputMeans): Promise<OpenedInput> {
  const stats = await stat(name).catch(() => undefined)
  if (!stats) return { name, kind: 'image', entries: undefined, ...(await locateInput(session, name, locate)) }
  const { signal, hasher } = session
  const file = {
    path: basename(name),
    type: 'file',
    size: stats.size,
    content: () => readInput('bench', name),
  } as const
  const entries = () => (stats.isDirectory() ? fromDirectory(name, { signal }) : fromFiles([file]))
  const layer = await writeLayer(scratch, entries(), { compression: 'none', hasher, signal })
  const image = await composeImage(scratch, { layers: [layer] })
  return { name, kind: stats.isDirectory() ? 'directory' : 'file', blobs: scratch, image, entries }
}

/**
 * @throws {@link SourceError} `ERR_SOURCE_NOT_FOUND` for a name that only a path has.
 */
async function locateInput(session: Session, name: string, locate: InputMeans['locate']) {
  if (/^(\.{0,2}|~)\//.test(name)) throw new SourceError('ERR_SOURCE_NOT_FOUND', 'no such file or directory', name)
  try {
    return await locate(name)
  } catch (error) {
    if (error instanceof ReferenceNotFoundError) {
      session.advice = ['nor is there a file or directory of that name', session.advice].filter(Boolean).join('; ')
    }
    throw error
  }
}

/** Reads the first bytes of the layers of all inputs, as they are stored. */
export async function readSample(inputs: readonly OpenedInput[], most: number, signal: AbortSignal): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for (const { blobs, image } of inputs) {
    for (const { descriptor } of image.layers) {
      if (size >= most) return Buffer.concat(chunks, most)
      for await (const chunk of blobs.read(descriptor.digest, { signal })) {
        // The bytes of a chunk may be lent.
        chunks.push(chunk.slice())
        size += chunk.byteLength
        if (size >= most) break
      }
    }
  }
  return Buffer.concat(chunks, Math.min(size, most))
}
