import { join } from 'node:path'

export const bench = {
  name: 'micro-index-update',
  question: 'What does setting a name cost, by how many names the store has and by durability?',
  async cases({ library, smoke, scratch }) {
    const { composeImage, openStore } = await import(`${library}/index.js`)
    const stores = []
    const tasks = []
    for (const durability of ['full', 'none']) {
      for (const names of smoke ? [1, 10] : [1, 100, 1000]) {
        const store = await openStore(join(scratch, `${durability}-${names}`), { durability })
        stores.push(store)
        const { descriptor } = await composeImage(store, { layers: [] })
        for (let i = 0; i < names; i++) await store.references.set(`app:${i}`, descriptor)
        tasks.push({
          label: `${names} names, durability ${durability}`,
          run: () => store.references.set('app:0', descriptor),
        })
      }
    }
    const after = () => Promise.all(stores.map(store => store.close()))
    return [{ name: 'references.set', tasks, after }]
  },
}
