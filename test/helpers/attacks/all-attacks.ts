import type { Attack } from './attack.ts'
import { hardLinkAttacks } from './hard-link-attacks.ts'
import { deviceAttacks, duplicateAttacks, modeAttacks, xattrAttacks } from './metadata-attacks.ts'
import { pathAttacks } from './path-attacks.ts'
import { symlinkAttacks } from './symlink-attacks.ts'

/** Every attack on the paths and links of an unpacking. */
export const allAttacks: readonly Attack[] = [
  ...pathAttacks,
  ...symlinkAttacks,
  ...hardLinkAttacks,
  ...deviceAttacks,
  ...modeAttacks,
  ...xattrAttacks,
  ...duplicateAttacks,
]
