/** Source of the files of a copy or a mount: a context, a stage, an image, or nothing. */
export type FileSource =
  | {
      /** Name of a context; empty for the build context. */
      readonly context: string
    }
  | {
      /** Index in the list of stages; lower than that of the stage that reads it. */
      readonly stage: number
    }
  | {
      /** Reference of an image as written. */
      readonly reference: string
      /** Platform, as `os/architecture[/variant]`. */
      readonly platform: string
    }
  | {
      /** An empty root filesystem. */
      readonly scratch: true
    }
