import { expect, test } from 'vitest'
import { hardLinkAttacks } from '../helpers/attacks/hard-link-attacks.ts'
import { runAttack } from '../helpers/run-attack.ts'

test.each(hardLinkAttacks)('$name', async attack => {
  const { expected, actual } = await runAttack(attack)
  expect(actual).toEqual(expected)
})
