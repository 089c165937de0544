// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of Dockerfiles
import type { RunCaseGroup } from '../run-case.ts'

const builder =
  'FROM box:1 AS build\nRUN mkdir -p /out/sub && echo made > /out/f && chmod 711 /out/sub && chown 5:6 /out/f'

/** Several stages, and commands that fail. */
export const stages: readonly RunCaseGroup[] = [
  {
    about: 'stages',
    from: builder,
    cases: [
      'FROM scratch\nCOPY --from=build /out /',
      'FROM box:1\nCOPY --from=build /out/f /got/\nRUN cat /got/f > /o',
      'FROM build\nRUN echo on top > /out/g',
      'FROM box:1\nRUN --mount=from=build,source=/out,target=/in cp -r /in /taken',
      'FROM box:1\nRUN --mount=from=build,source=out/f,target=/in cat /in > /o',
      'FROM box:1\nRUN --mount=from=0,source=/out,target=/in ls /in > /o',
      'FROM box:1 AS two\nCOPY --from=build /out /two\nRUN echo 2 > /two/2\nFROM scratch\nCOPY --from=two /two /\nCOPY --from=build /out/f /f1',
      'FROM box:1 AS unused\nRUN exit 9\nFROM box:1\nRUN echo fine > /o',
      ['FROM build AS later\nRUN exit 9', { target: 'build' }],
      'FROM box:1\nCOPY --from=build /data/h1 /data/h2 /links/\nCOPY --from=build /data/fifo /data/null /special/',
      'RUN ln /out/f /out/hard && ln -s f /out/soft && mkfifo /out/p\nFROM scratch\nCOPY --from=build /out /',
      'FROM box:1\nRUN --mount=type=cache,target=/c,from=build,source=/out,id=from-build cat /c/f > /o',
      'RUN rm -r /data\nFROM scratch\nCOPY --from=build /data /d',
      'FROM box:1\nRUN --mount=from=nowhere,target=/in true',
    ],
  },
  {
    about: 'a compiled program',
    cases: [
      'FROM box:1 AS build\nWORKDIR /src\nCOPY app .\nRUN --mount=type=cache,target=/root/.cache wc -c main.c > /usr-bin && { echo "#!/bin/sh"; cat main.c; } > /app && chmod +x /app\nFROM scratch\nCOPY --from=build /app /bin/app\nUSER 65534\nENTRYPOINT ["/bin/app"]',
      'FROM box:1 AS base\nRUN echo shared > /shared\nFROM base AS a\nRUN echo a > /a\nFROM base AS b\nRUN echo b > /b\nFROM base\nCOPY --from=a /a /\nCOPY --from=b /b /\nRUN cat /shared /a /b > /all',
    ],
  },
  {
    about: 'failures',
    from: 'FROM box:1',
    cases: [
      'RUN false',
      'RUN exit 7',
      'RUN no-such-program',
      'RUN ["/no/such/program"]',
      'RUN ["no-such-program"]',
      'RUN /data/a',
      'RUN ["/data/a"]',
      'RUN touch /made; exit 3\nRUN true',
      'RUN true && false || exit 255',
      'RUN sh -c "kill -9 \\$\\$"',
      'RUN sh -c "kill -TERM \\$\\$"; echo $? > /o',
      'RUN if then',
      'SHELL ["/no/shell", "-c"]\nRUN true',
      'RUN ["sh", "-c", "exit 12"]',
      'USER app\nRUN rm /data/a',
      'RUN [""]',
      'RUN',
      'RUN []',
      'RUN set -e; false; touch /never',
      'RUN set -o pipefail; false | true',
    ],
  },
]
