import type { NamedBlobs } from '../../image/index.ts'
import type { DerivedStore } from '../../store/index.ts'

/** Blobs of an image that a command reads, wherever they are. */
export type ImageBlobs = NamedBlobs & { readonly derived: DerivedStore }
