import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { temporaryDirectory } from './temporary-directory.ts'

/** A headless Chromium, driven by the DevTools protocol over two pipes. */
export interface Chromium extends AsyncDisposable {
  /** Opens an address in a window of that size. */
  open(url: string, options?: { width?: number; height?: number; dark?: boolean }): Promise<Tab>
}

/** A tab of a browser. */
export interface Tab {
  /** Errors that the console showed, exceptions and refused loads included. */
  readonly errors: string[]
  /** Resolves to the value of an expression, which may be a promise. */
  evaluate<T = unknown>(expression: string): Promise<T>
  /** Clicks in the middle of the first element of a selector. */
  click(selector: string): Promise<void>
  /** Presses a key, such as `Enter` or `a`. */
  press(key: string): Promise<void>
  /** Changes the size of the window. */
  resize(width: number, height: number): Promise<void>
  /** Takes a picture, PNG. */
  picture(): Promise<Buffer>
  close(): Promise<void>
}

/** Arguments of every start: it reaches no service of its maker, and asks for no keyring. */
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-extensions',
  '--no-first-run',
  '--hide-scrollbars',
  '--password-store=basic',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
  '--remote-debugging-pipe',
]

/** Starts the browser with a profile of its own. `dispose` ends it and removes the profile. */
export async function startChromium(): Promise<Chromium> {
  const profile = temporaryDirectory('chromium')
  const env = { PATH: process.env.PATH, HOME: profile.path, TMPDIR: profile.path }
  const child = spawn('chromium', [...FLAGS, `--user-data-dir=${profile.path}/profile`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    env,
  })
  const ended = once(child, 'exit')
  const connection = new Connection(child)
  return {
    async open(url, { width = 1440, height = 900, dark = false } = {}) {
      const { targetId } = await connection.send<{ targetId: string }>('Target.createTarget', { url: 'about:blank' })
      const { sessionId } = await connection.send<{ sessionId: string }>('Target.attachToTarget', {
        targetId,
        flatten: true,
      })
      const tab = new OpenTab(connection, sessionId, targetId)
      await tab.start(url, { width, height, dark })
      return tab
    },
    async [Symbol.asyncDispose]() {
      await connection.send('Browser.close').catch(() => {})
      await ended
      profile[Symbol.dispose]()
    },
  }
}

interface Message {
  readonly id?: number
  readonly sessionId?: string
  readonly method?: string
  readonly params: EventParameters
  readonly result: unknown
  readonly error?: { readonly message: string }
}

/** Members of the events that a tab listens to. */
interface EventParameters {
  readonly exceptionDetails: ExceptionDetails
  readonly type: string
  readonly args: unknown
  readonly entry: { readonly level: string; readonly text: string }
  readonly message: string
}

interface ExceptionDetails {
  readonly text: string
  readonly exception?: { readonly description?: string }
}

/** Requests and events, each a JSON text that ends with NUL. */
class Connection {
  readonly #to: Writable
  readonly #waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>()
  readonly #listeners = new Set<(message: Message) => void>()
  #next = 1

  constructor(child: ChildProcess) {
    this.#to = child.stdio[3] as Writable
    let rest = ''
    ;(child.stdio[4] as Readable).setEncoding('utf8').on('data', (text: string) => {
      const messages = (rest + text).split('\0')
      rest = messages.pop() ?? ''
      for (const message of messages) this.#receive(JSON.parse(message))
    })
    this.#to.on('error', () => {})
    child.on('error', error => this.#fail(error))
    child.on('exit', code => this.#fail(new Error(`chromium has ended (${code})`)))
  }

  send<T>(method: string, params: object = {}, sessionId?: string): Promise<T> {
    const id = this.#next++
    const result = new Promise<T>((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
    this.#to.write(`${JSON.stringify({ id, method, params, ...(sessionId ? { sessionId } : {}) })}\0`)
    return result
  }

  listen(listener: (message: Message) => void): void {
    this.#listeners.add(listener)
  }

  #receive(message: Message): void {
    const waiting = message.id === undefined ? undefined : this.#waiting.get(message.id)
    if (message.id !== undefined) this.#waiting.delete(message.id)
    if (message.error) waiting?.reject(new Error(message.error.message))
    else waiting?.resolve(message.result as never)
    if (message.method) for (const listener of this.#listeners) listener(message)
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}

/** Codes of keys that are not letters. */
const KEYS: Readonly<Record<string, number>> = {
  Enter: 13,
  Escape: 27,
  Tab: 9,
  ArrowLeft: 37,
  ArrowUp: 38,
  ArrowRight: 39,
  ArrowDown: 40,
}

class OpenTab implements Tab {
  readonly errors: string[] = []
  readonly #connection: Connection
  readonly #session: string
  readonly #target: string

  constructor(connection: Connection, session: string, target: string) {
    this.#connection = connection
    this.#session = session
    this.#target = target
  }

  async start(url: string, { width, height, dark }: { width: number; height: number; dark: boolean }): Promise<void> {
    const loaded = new Promise<void>(resolve => {
      this.#connection.listen(({ sessionId, method, params }) => {
        if (sessionId !== this.#session) return
        if (method === 'Page.loadEventFired') resolve()
        if (method === 'Runtime.exceptionThrown') this.errors.push(describeException(params.exceptionDetails))
        if (method === 'Runtime.consoleAPICalled' && params.type === 'error')
          this.errors.push(JSON.stringify(params.args))
        if (method === 'Log.entryAdded' && params.entry.level === 'error') this.errors.push(params.entry.text)
        if (method === 'Page.javascriptDialogOpening') this.errors.push(`dialog: ${params.message}`)
      })
    })
    for (const domain of ['Page', 'Runtime', 'Log']) await this.#send(`${domain}.enable`)
    const features = [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }]
    await this.#send('Emulation.setEmulatedMedia', { features })
    await this.resize(width, height)
    await this.#send('Page.navigate', { url })
    await loaded
  }

  async evaluate<T>(expression: string): Promise<T> {
    const parameters = { expression, awaitPromise: true, returnByValue: true, userGesture: true }
    const { result, exceptionDetails } = await this.#send<{
      result: { value: T }
      exceptionDetails?: ExceptionDetails
    }>('Runtime.evaluate', parameters)
    if (exceptionDetails) throw new Error(describeException(exceptionDetails))
    return result.value
  }

  async click(selector: string): Promise<void> {
    const find = `(() => {
      const element = document.querySelector(${JSON.stringify(selector)})
      element.scrollIntoView({ block: 'center', behavior: 'instant' })
      const { left, top, width, height } = element.getBoundingClientRect()
      return { x: left + width / 2, y: top + height / 2 }
    })()`
    const place = await this.evaluate<{ x: number; y: number }>(find)
    for (const type of ['mousePressed', 'mouseReleased']) {
      await this.#send('Input.dispatchMouseEvent', { type, ...place, button: 'left', clickCount: 1 })
    }
  }

  async press(key: string): Promise<void> {
    const text = key === 'Enter' ? '\r' : key.length === 1 ? key : undefined
    const code = { key, code: key, windowsVirtualKeyCode: KEYS[key] ?? 0 }
    await this.#send('Input.dispatchKeyEvent', { type: 'keyDown', ...code, ...(text ? { text } : {}) })
    await this.#send('Input.dispatchKeyEvent', { type: 'keyUp', ...code })
  }

  async resize(width: number, height: number): Promise<void> {
    await this.#send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false })
  }

  async picture(): Promise<Buffer> {
    const { data } = await this.#send<{ data: string }>('Page.captureScreenshot', { format: 'png' })
    return Buffer.from(data, 'base64')
  }

  async close(): Promise<void> {
    await this.#connection.send('Target.closeTarget', { targetId: this.#target })
  }

  #send<T>(method: string, params: object = {}): Promise<T> {
    return this.#connection.send(method, params, this.#session)
  }
}

function describeException({ exception, text }: ExceptionDetails): string {
  return exception?.description ?? text
}
