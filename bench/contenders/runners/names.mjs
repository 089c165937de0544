/** The base of the measured builds, and the image that they make. */
export const BASE = 'layerstore-bench-base:1'
export const IMAGE = 'layerstore-bench-run:1'
