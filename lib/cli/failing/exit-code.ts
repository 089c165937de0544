/**
 * Exit codes: 0 done, 1 failed, 2 wrong usage, 130 and 143 stopped by SIGINT and SIGTERM, as shells report it. `run`
 * and `start` have those of `docker run`: that of the process, and 125 to 127 if there was none.
 */
export type ExitCode = number
