import { containerify } from '../containerify.mjs'

/** containerify has no steps and no cache: it packs the directory anew, whatever has changed. */
export const containerifyCopy = {
  ...containerify,
  hasNoCache: true,
  available: ({ job }) => (job === 'steps' ? 'has no steps' : containerify.available()),
  async run(job, given) {
    const { outcome, ...measured } = await containerify.run(job, { ...given, directory: `${given.context}/tree` })
    return { ...measured, outcome: { layer: () => outcome, isWhole: true } }
  },
}
