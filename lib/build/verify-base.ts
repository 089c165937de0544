import type { ImageToVerify } from '../transfer/index.ts'

/** Verifies an image that a build is about to use. */
export type VerifyBase = (image: ImageToVerify) => Promise<void>
