export { type ExitCode, runCli } from './run-cli.ts'
export type { Terminal } from './terminal.ts'
