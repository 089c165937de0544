import { callFilter } from '../system-calls/call-filter.ts'
import { type FilterWordsOptions, filterWords } from '../system-calls/filter-words.ts'

/** Returns the note of `probe()`, which a build prints beside the name of the executor. */
export function chrootNote(options: FilterWordsOptions = {}): string {
  const note = 'the weakest isolation'
  if (filterWords(0, options) !== undefined) return note
  const why = callFilter([], options.arch) === undefined ? 'on this processor' : 'without perl or python3'
  return `${note}, with all system calls allowed ${why}`
}
