/**
 * Where the files of a copy or a mount are: a context, a stage, an image, or nowhere. `{ context: '' }` is the build
 * context, other names are named contexts.
 */
export type FileSource =
  | { readonly context: string }
  /** Index in the list of stages; lower than that of the stage that reads it. */
  | { readonly stage: number }
  /** Reference as written, and platform as `os/architecture[/variant]`. */
  | { readonly reference: string; readonly platform: string }
  /** An empty root filesystem. */
  | { readonly scratch: true }
