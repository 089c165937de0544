import { type ThreadCode, threadFile } from '../../internal/thread-code.ts'

/** The code of the thread that looks ahead of a walk. The build replaces this module; see {@link threadFile}. */
export const STAT_THREAD: ThreadCode | undefined = threadFile(import.meta.url)
