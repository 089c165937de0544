export {
  type AccountFiles,
  type GroupAccount,
  readGroups,
  readUsers,
  type UserAccount,
} from './accounts/read-accounts.ts'
export { type FileOwner, resolveOwner } from './accounts/resolve-owner.ts'
export { type ProcessUser, resolveUser } from './accounts/resolve-user.ts'
export { collectCacheMounts, listCacheMounts } from './cache-mounts/collect-cache-mounts.ts'
export { type CacheMountSpec, type OpenCacheMount, openCacheMount } from './cache-mounts/open-cache-mount.ts'
export { type CommitContainerOptions, commitContainer } from './containers/commit-container.ts'
export { Container } from './containers/container.ts'
export { type CreateContainerOptions, createContainer } from './containers/create-container.ts'
export type { ContainerPlace } from './containers/home/container-home.ts'
export type { ContainerInfo } from './containers/home/container-info.ts'
export { listContainers, openContainer } from './containers/open-container.ts'
export type { ContainerProcess, ContainerSettings } from './containers/process/container-settings.ts'
export { type RemoveContainerOptions, removeContainer } from './containers/remove-container.ts'
export { type ContainerExit, type RunImageOptions, runImage } from './containers/run-image.ts'
export type { ContainerChange } from './containers/running/container-changes.ts'
export type { StartOptions } from './containers/running/start-process.ts'
export { type StopContainerOptions, stopContainer } from './containers/stop-container.ts'
export { bubblewrap } from './executors/bubblewrap/bubblewrap.ts'
export { chroot } from './executors/chroot/chroot.ts'
export type {
  Executor,
  ExecutorProbe,
  ExtraHost,
  PassedOver,
  ProbeOptions,
  ProcessExit,
  ProcessLimits,
  ProcessMount,
  ProcessSpec,
  RunningProcess,
} from './executors/executor.ts'
export type { ResourceLimit, ResourceName } from './executors/limits/resource-limits.ts'
export { type ExecutorName, type MachineExecutorOptions, machineExecutor } from './executors/machine-executor.ts'
export { findSystemProgram } from './executors/process/find-system-program.ts'
export { runc } from './executors/runc/runc.ts'
export { MountStubs } from './executors/view/mount-stubs.ts'
export { localFiles } from './files/local-files.ts'
export type { FileAttributes, MountPoints, StackFiles } from './files/stack-files.ts'
export type { DroppedDirectory, KeepingPolicy, KeepingResult, KeptDirectory } from './keeping/keeping-policy.ts'
export { type MachineSandboxOptions, machineSandbox } from './machine-sandbox.ts'
export { type RootlessSandbox, type RootlessSandboxOptions, rootlessSandbox } from './rootless/rootless-sandbox.ts'
export type { Sandbox } from './sandbox.ts'
export { type CopyingSnapshotsOptions, copyingSnapshots } from './snapshots/copying-snapshots.ts'
export { type MachineSnapshotsOptions, machineSnapshots } from './snapshots/machine-snapshots.ts'
export { collectSnapshots, listSnapshots, type SnapshotPolicy } from './snapshots/overlay/collect-snapshots.ts'
export { type OverlaySnapshotsOptions, overlaySnapshots } from './snapshots/overlay/overlay-snapshots.ts'
export { snapshotDirectory } from './snapshots/snapshot-directory.ts'
export type { OpenStackOptions, SnapshotDriver, Stack, StackPlace } from './snapshots/stack.ts'
