import { type ThreadCode, threadFile } from '../../../internal/thread-code.ts'

/** The code of the thread that fetches blobs. The build replaces this module; see {@link threadFile}. */
export const BLOB_THREAD: ThreadCode | undefined = threadFile(import.meta.url)
