export {
  type HistoryLayer,
  type HistoryStep,
  type ReadHistoryOptions,
  readHistory,
} from './history/read-history.ts'
export type { InspectedSource, InspectionOptions } from './read-source.ts'
