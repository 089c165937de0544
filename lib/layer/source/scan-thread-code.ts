import { type ThreadCode, threadFile } from '../../internal/thread-code.ts'

/** The code of the thread that scans directories. The build replaces this module; see {@link threadFile}. */
export const SCAN_THREAD: ThreadCode | undefined = threadFile(import.meta.url)
