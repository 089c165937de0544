// The part of tar-stream that is used. Version 3.1.7 has no types of its own; see rationale.md, why it is this version.
declare module 'tar-stream' {
  /** Members of a header. */
  export interface Header {
    name: string
    size: number
    mode: number
    mtime: Date
    type: 'file' | 'link' | 'symlink' | 'directory' | 'block-device' | 'character-device' | 'fifo' | 'contiguous-file'
    linkname: string
    uid: number
    gid: number
    devmajor: number
    devminor: number
  }

  interface Emitter {
    on(event: string, listener: (error: Error) => void): this
    off(event: string, listener: (error: Error) => void): this
  }

  /** Takes the content of one entry. */
  export interface Sink extends Emitter {
    readonly destroying: boolean
    write(chunk: Uint8Array): boolean
    end(chunk: null): void
  }

  /** An archive that is written: entries in, bytes out. */
  export interface Pack extends Emitter, AsyncIterable<Uint8Array> {
    readonly destroying: boolean
    readonly destroyed: boolean
    entry(header: Partial<Header> & Pick<Header, 'name'>, callback: (error?: Error | null) => void): Sink
    entry(header: Partial<Header> & Pick<Header, 'name'>, content: string | Uint8Array): Sink
    push(bytes: Uint8Array): boolean
    read(): Uint8Array | null
    destroy(): void
    finalize(): void
  }

  export function pack(options?: { readonly highWaterMark?: number }): Pack
}
