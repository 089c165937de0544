import { expect, test } from 'vitest'
import { xattrAttacks } from '../helpers/attacks/metadata-attacks.ts'
import { runAttack } from '../helpers/run-attack.ts'

test.each(xattrAttacks)('$name', async attack => {
  const { expected, actual } = await runAttack(attack)
  expect(actual).toEqual(expected)
})
