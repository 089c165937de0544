import { type ThreadCode, threadFile } from '../../../internal/thread-code.ts'

/** The code of the thread that writes trees. The build replaces this module; see {@link threadFile}. */
export const WRITER_THREAD: ThreadCode | undefined = threadFile(import.meta.url)
