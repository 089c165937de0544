const REFERENCES = {
  short: 'node:22-slim',
  usual: 'registry.example.com:5000/team/project/app:1.2.3',
  digest: `registry.example.com/team/app@sha256:${'0123456789abcdef'.repeat(4)}`,
}

export const bench = {
  name: 'micro-reference-parse',
  question: 'What does parsing a reference cost?',
  async cases({ library }) {
    const { parseReference } = await import(`${library}/index.js`)
    return [
      {
        name: 'a thousand references',
        tasks: Object.entries(REFERENCES).map(([label, text]) => ({
          label,
          run: () => repeat(() => parseReference(text)),
        })),
      },
    ]
  },
}

function repeat(act) {
  for (let i = 0; i < 1000; i++) act()
}
