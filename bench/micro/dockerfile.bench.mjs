import { COSTLY_DOCKERFILES } from '../corpora/costly-dockerfiles.mjs'

const MIB = 1024 * 1024

const STAGE = `# the stage that builds
FROM node:22-slim@sha256:${'0'.repeat(64)} AS build
ARG NODE_ENV=production
ENV PATH="/app/node_modules/.bin:$PATH" \\
    NODE_OPTIONS="--max-old-space-size=4096"
WORKDIR /app
COPY --chown=node:node package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm,sharing=locked \\
    npm ci --omit=dev && \\
    npm cache clean --force
# the sources come last, so that the layers above stay cached
COPY --chown=node:node . .
RUN <<EOF
set -eu
npm run build
npm prune --omit=dev
EOF
LABEL org.opencontainers.image.title="app" org.opencontainers.image.source="https://example.com/app"
EXPOSE 8080/tcp
USER node
HEALTHCHECK --interval=30s CMD ["node", "health.js"]
CMD ["node", "server.js"]
`

const TEXTS = {
  'usual, 1 MB': STAGE.repeat(Math.ceil(MIB / STAGE.length)),
  'short lines, 1 MB': `FROM scratch\n${'ENV A=b C="d e"\n'.repeat(MIB / 16)}`,
  'a long here-document, 1 MB': `FROM scratch\nCOPY <<EOF /x\n${'x'
    .repeat(99)
    .concat('\n')
    .repeat(MIB / 100)}EOF\n`,
}

export const bench = {
  name: 'micro-dockerfile',
  question: 'What does reading a Dockerfile cost? Goal: 1 MB, and each costly text, under 100 ms.',
  async cases({ library }) {
    const { evaluateDockerfile, lintDockerfile, parseDockerfile } = await import(`${library}/dockerfile/index.js`)
    const one = parseDockerfile(STAGE)
    // Some of the texts are refused, which may not take long either.
    const readAll = text => {
      try {
        const document = parseDockerfile(text)
        lintDockerfile(document)
        evaluateDockerfile(document)
      } catch (error) {
        if (!error.code?.startsWith('ERR_')) throw error
      }
    }
    return [
      {
        name: 'parse',
        tasks: Object.entries(TEXTS).map(([label, text]) => ({ label, run: () => void parseDockerfile(text) })),
      },
      {
        name: 'parse and evaluate a file of 20 lines',
        tasks: [
          { label: 'parse', run: () => void parseDockerfile(STAGE) },
          { label: 'evaluate', run: () => void evaluateDockerfile(one) },
        ],
      },
      {
        name: 'parse, lint and evaluate a costly text',
        tasks: Object.entries(COSTLY_DOCKERFILES).map(([label, text]) => ({ label, run: () => void readAll(text) })),
      },
    ]
  },
}
