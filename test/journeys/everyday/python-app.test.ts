import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { outcomesOf } from '../../helpers/build-files.ts'
import { makeMachineBase } from '../../helpers/machine-base.ts'
import { needs } from '../../helpers/needs.ts'
import { needsProgram } from '../../helpers/needs-program.ts'
import { program } from '../../helpers/program.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { everydayBench, needsEveryday, portIn } from './bench.ts'

const PYTHON = '/usr/bin/python3'
const PIP = '/usr/lib/python3/dist-packages/pip'
const able = [needsEveryday(), needsProgram('python3'), needsProgram('pip3')].every(Boolean)

const DOCKERFILE = `FROM python:3-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY requirements.txt .
RUN --mount=type=bind,source=wheels,target=/wheels --mount=type=cache,target=/root/.cache/pip \\
    python3 -m pip install --no-index --find-links=/wheels --target=/usr/local/lib/app -r requirements.txt
ENV PYTHONPATH=/usr/local/lib/app
COPY app.py .
RUN echo "web:x:10001:10001::/app:/bin/sh" >> /etc/passwd
USER web
EXPOSE 8000
CMD ["python3", "app.py"]
`

const APP = `
import http.server, json, os, pwd
from greeting import greet

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        user = pwd.getpwuid(os.getuid()).pw_name
        body = json.dumps({"greeting": greet(self.path[1:]), "user": user}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words): pass

server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print("listening at", server.server_port)
server.serve_forever()
`

/** Packs a package of Python as a wheel. */
async function wheel(): Promise<Uint8Array> {
  using place = temporaryDirectory('wheel')
  const script = `
import zipfile
with zipfile.ZipFile("greeting.whl", "w") as wheel:
    wheel.writestr("greeting/__init__.py", "def greet(name): return f'hello {name}'")
    wheel.writestr("greeting-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: greeting\\nVersion: 1.0\\n")
    wheel.writestr("greeting-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr("greeting-1.0.dist-info/RECORD", "")`
  await program(PYTHON, ['-c', script], { cwd: place.path })
  return readFileSync(join(place.path, 'greeting.whl'))
}

test.runIf(able && needs(existsSync(PIP), 'the package python3-pip of Debian is not installed'))(
  'a web app in Python installs its packages, is built, and answers as its own user',
  async () => {
    await using bench = await everydayBench()
    const library = (await program(PYTHON, ['-c', 'import sysconfig; print(sysconfig.get_path("stdlib"))'])).trim()
    const left = [
      '**/__pycache__',
      'EXTERNALLY-MANAGED',
      'config-*',
      'test',
      'lib2to3',
      'pydoc_data',
      'idlelib',
      'dist-packages',
    ]
    await makeMachineBase(bench.store, 'python:3-slim', {
      programs: [PYTHON],
      trees: { [library]: left, [PIP]: ['**/__pycache__'] },
    })
    bench.write({
      'app.py': APP,
      'requirements.txt': 'greeting==1.0\n',
      'wheels/greeting-1.0-py3-none-any.whl': await wheel(),
    })
    await bench.build(DOCKERFILE, 'app:1')

    let answer: unknown
    const { stdout } = await bench.run('app:1', {
      until: async written => {
        const port = portIn(written)
        if (port !== undefined) answer = await (await fetch(`http://127.0.0.1:${port}/world`)).json()
        return port !== undefined
      },
    })
    expect(stdout).toMatch(/listening/)
    expect(answer).toEqual({ greeting: 'hello world', user: 'web' })

    bench.write({ 'app.py': `# changed\n${APP}` })
    expect(outcomesOf(await bench.build(DOCKERFILE, 'app:2')).map(line => line.split(' ')[0])).toEqual([
      'cached',
      'cached',
      'cached',
      'made',
      'made',
    ])
  },
  120_000,
)
