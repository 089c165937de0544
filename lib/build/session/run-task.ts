import type { BuildTask, OnBuildProgress } from '../build-progress.ts'

/** Runs work besides the steps of a build, and reports when it starts and how it ends. */
export async function runTask<T>(
  onProgress: OnBuildProgress | undefined,
  task: BuildTask,
  act: () => Promise<T>,
): Promise<T> {
  const begun = performance.now()
  onProgress?.({ kind: 'task-started', ...task })
  try {
    const result = await act()
    onProgress?.({ kind: 'task-finished', ...task, milliseconds: performance.now() - begun })
    return result
  } catch (error) {
    onProgress?.({ kind: 'task-failed', ...task })
    throw error
  }
}
