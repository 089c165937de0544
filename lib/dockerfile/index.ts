export { DockerfileError, type DockerfileErrorCode, type DockerfileErrorDetails } from '../errors/index.ts'
export { applyInstructions } from './config/apply-instructions.ts'
export { changeConfig } from './config/change-config.ts'
export type { ConfigChange, Healthcheck } from './data/config-change.ts'
export type { BaseRequest, EvaluateDockerfileOptions, Evaluation } from './data/evaluation.ts'
export type { FileSource } from './data/file-source.ts'
export type {
  BindMount,
  CacheMount,
  RunMount,
  SecretMount,
  SshMount,
  TmpfsMount,
} from './data/run-mount.ts'
export type { Stage, StageBase } from './data/stage.ts'
export type {
  AddFiles,
  ConfigStep,
  CopyStep,
  FetchStep,
  GitSource,
  HttpSource,
  InlineFile,
  RemoteSource,
  RunCommand,
  RunStep,
  Step,
  StepCommon,
  WorkdirStep,
} from './data/step.ts'
export { codeFrame } from './document/code-frame.ts'
export type {
  Directive,
  DockerfileDocument,
  Heredoc,
  Instruction,
  InstructionFlag,
  InstructionName,
  Position,
  Word,
} from './document/document.ts'
export { type ParseDockerfileOptions, parseDockerfile } from './document/parse-dockerfile.ts'
export { readPlatform } from './evaluate/arguments/platform-arguments.ts'
export { evaluateDockerfile } from './evaluate/evaluate-dockerfile.ts'
export {
  parseGitAddress,
  type RemoteKind,
  type RemoteOptions,
  remoteKind,
} from './evaluate/instructions/remote-source.ts'
export { assertChecks } from './lint/assert-checks.ts'
export { lintDockerfile } from './lint/lint-dockerfile.ts'
export type { LintDockerfileOptions, LintFinding, LintIgnoreRules, LintReport } from './lint/lint-report.ts'
export { seemsSecret } from './lint/seems-secret.ts'
export { type DockerfileTarget, listTargets } from './outline/list-targets.ts'
export {
  type DockerfileOutline,
  type OutlinedArgument,
  type OutlinedMount,
  outlineDockerfile,
} from './outline/outline-dockerfile.ts'
export {
  type PinDockerfileOptions,
  type PinnedDockerfile,
  type PinnedImage,
  type PinOutcome,
  pinDockerfile,
} from './pin/pin-dockerfile.ts'
