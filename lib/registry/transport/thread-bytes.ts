/** PERF: with fewer bytes, messages to a thread and the wait for its start outweigh its work. */
export const THREAD_BYTES = 4 * 1024 * 1024
