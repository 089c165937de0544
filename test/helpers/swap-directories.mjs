// Attacks an unpack: PARENT OUTSIDE. Finds the tree that is being written below PARENT, and until it is killed replaces
// its directories with links to OUTSIDE and back. Prints the number of swaps from time to time.
import { readdirSync, renameSync, symlinkSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'

const [parent, outside] = process.argv.slice(2)
let swaps = 0
process.stdout.write('0\n')

const attempt = act => {
  try {
    return act()
  } catch {
    return undefined
  }
}

const swapOnce = root => {
  for (const name of attempt(() => readdirSync(root)) ?? []) {
    if (name.startsWith('away-')) continue
    const [place, away] = [join(root, name), join(root, `away-${name}`)]
    if (
      attempt(() => renameSync(place, away)) === undefined &&
      attempt(() => symlinkSync(outside, place)) === undefined
    ) {
      if (++swaps % 20 === 0) process.stdout.write(`${swaps}\n`)
      attempt(() => unlinkSync(place))
    }
    attempt(() => renameSync(away, place))
  }
}

const loop = () => {
  for (const name of attempt(() => readdirSync(parent)) ?? []) {
    if (name.startsWith('.root.layerstore-')) swapOnce(join(parent, name, 'root'))
  }
  setImmediate(loop)
}
loop()
