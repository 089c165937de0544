export type { ExitCode } from './failing/exit-code.ts'
export type { Terminal } from './printing/terminal.ts'
export { runCli } from './run-cli.ts'
