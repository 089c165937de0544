import { type ThreadCode, threadFile } from '../../internal/thread-code.ts'

/** The code of the process in the user namespace. The build replaces this module; see {@link threadFile}. */
export const SANDBOX_PROCESS: ThreadCode | undefined = threadFile(import.meta.url)
