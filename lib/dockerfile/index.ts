export { DockerfileError, type DockerfileErrorCode, type DockerfileErrorDetails } from '../errors/index.ts'
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
export type { ConfigChange, Healthcheck } from './evaluate/config-change.ts'
export type { BaseRequest, EvaluateDockerfileOptions, Evaluation } from './evaluate/evaluation.ts'
export type { FileSource } from './evaluate/file-source.ts'
export type {
  BindMount,
  CacheMount,
  RunMount,
  SecretMount,
  SshMount,
  TmpfsMount,
} from './evaluate/run-mount.ts'
export type { Stage, StageBase } from './evaluate/stage.ts'
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
} from './evaluate/step.ts'
