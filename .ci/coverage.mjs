// Prints the coverage of branches of each room, the lowest first, from the summary that the tests have left.
import { readFileSync } from 'node:fs'

const { total, ...files } = JSON.parse(readFileSync('dist/coverage/coverage-summary.json', 'utf8'))
const rooms = new Map()
for (const [path, { branches }] of Object.entries(files)) {
  const room = /[/\\]lib[/\\]([^/\\]+)[/\\]/.exec(path)?.[1] ?? 'lib'
  const sum = rooms.get(room) ?? { covered: 0, total: 0 }
  rooms.set(room, { covered: sum.covered + branches.covered, total: sum.total + branches.total })
}
const percent = ({ covered, total }) => (total === 0 ? 100 : (100 * covered) / total)
console.log(`branches: ${total.branches.pct} %`)
for (const [room, sum] of [...rooms].sort(([, a], [, b]) => percent(a) - percent(b))) {
  console.log(`  ${room.padEnd(14)} ${percent(sum).toFixed(2).padStart(6)} % of ${sum.total}`)
}
