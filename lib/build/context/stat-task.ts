/** Work of the thread that looks at paths ahead. */
export interface StatTask {
  /** Real path of the directory. */
  readonly root: string
  /** Records of listings, see `StoredListings`, without the header. */
  readonly records: Uint8Array
  /** Shared: the places {@link PHASE}, {@link AT} and {@link DONE}. */
  readonly control: Int32Array<SharedArrayBuffer>
  /** Shared: {@link COLUMNS} numbers for each name of the records. */
  readonly numbers: Float64Array<SharedArrayBuffer>
}

/** Place of the phase: {@link WAITING} until the scan begins, {@link RUNNING} until it ends, then {@link ENDED}. */
export const PHASE = 0
/** Place of the record that the calling thread is at. */
export const AT = 1
/** Place of the first record that the thread has done; so it has done all behind that one. */
export const DONE = 2
export const WAITING = 0
export const RUNNING = 1
export const ENDED = 2

/** Mode, links, device of a device file, device, inode, size, modification time and change time in milliseconds. */
export const COLUMNS = 8
/** In the place of the mode: the thread saw no file. */
export const MISSING: number = -1
