/** Header of an answer that was given without asking the upstream registry. */
export const outOfDate = {
  Warning: '299 - "the upstream registry could not be asked; this may be out of date"',
} as const
