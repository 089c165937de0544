import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { findSystemProgram } from '../../../executors/process/find-system-program.ts'

/** The helper ends when it had nothing to do for so long. */
const IDLE_MS = 10_000
/** SPEC: numbers of mount and umount2 in the tables of Linux, by the names that Node has. */
const CALLS: Readonly<Record<string, readonly [mount: number, umount: number]>> = { x64: [165, 166], arm64: [40, 39] }
/**
 * Reads lines of words in hex, `DIRECTORY TARGET OPTIONS` to mount an overlay and `TARGET` to detach a mount. Answers
 * each with the number of the error, or 0. It ends with its input, so also when the process that started it is killed.
 * Perl passes a text to a system call only if it may be written to, which a constant may not: the type is put together.
 */
const SCRIPT = `
my ($mount, $umount) = map { $_ + 0 } @ARGV;
my $type = 'over' . 'lay';
$| = 1;
while (defined(my $line = <STDIN>)) {
  chomp $line;
  my @words = map { pack('H*', $_) } split / /, $line, -1;
  my $done = @words == 1 ? syscall($umount, $words[0], 2) == 0
    : chdir($words[0]) && syscall($mount, $type, $words[1], $type, 0, $words[2]) == 0;
  print $done ? 0 : $! + 0, "\\n";
  chdir '/';
}
`

/**
 * Mounts and unmounts by one long-lived process of perl, which Debian always has: Node has no call for it.
 *
 * PERF: the programs `mount` and `umount` must be started for each step, and a start takes as long as all that Node
 * does for a step: it copies the page tables of a large process, and the programs load eight libraries.
 */
export class MountCalls {
  readonly #perl: string | undefined
  #helper: Helper | undefined
  #isUseless = false

  constructor(perl = findSystemProgram('perl')) {
    this.#perl = perl
  }

  /**
   * Mounts an overlay; paths in the options are relative to the directory. Resolves to the number of an error or 0, or
   * to `undefined` if there is no helper: a program does it then.
   */
  mount(directory: string, target: string, options: string): Promise<number | undefined> {
    return this.#ask([directory, target, options])
  }

  /** Detaches a mount. */
  unmount(target: string): Promise<number | undefined> {
    return this.#ask([target])
  }

  async #ask(words: readonly string[]): Promise<number | undefined> {
    if (this.#isUseless) return undefined
    if (!this.#helper?.isAlive) this.#helper = startHelper(this.#perl)
    const answer = await this.#helper?.ask(words.map(word => Buffer.from(word).toString('hex')).join(' '))
    // A helper that ended without an answer would do so again.
    if (answer === undefined) this.#isUseless = true
    return answer
  }
}

function startHelper(perl: string | undefined): Helper | undefined {
  const calls = CALLS[process.arch]
  return calls && perl ? new Helper(perl, ['-e', SCRIPT, ...calls.map(String)]) : undefined
}

class Helper {
  readonly #child: ChildProcess
  readonly #waiting: ((answer: number | undefined) => void)[] = []
  #idle: NodeJS.Timeout | undefined
  isAlive = true

  constructor(program: string, args: readonly string[]) {
    // Ctrl-C at a terminal reaches a whole process group, and what is mounted then must still be unmounted.
    const child = spawn(program, args, { env: {}, cwd: '/', stdio: ['pipe', 'pipe', 'ignore'], detached: true })
    this.#child = child
    child.once('error', () => this.#onEnd())
    child.once('close', () => this.#onEnd())
    child.stdin.on('error', () => {})
    createInterface(child.stdout).on('line', line => this.#onAnswer(Number(line)))
    child.unref()
    this.#hold(false)
  }

  ask(line: string): Promise<number | undefined> {
    clearTimeout(this.#idle)
    this.#hold(true)
    this.#child.stdin?.write(`${line}\n`)
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  #onAnswer(answer: number): void {
    this.#waiting.shift()?.(answer)
    if (this.#waiting.length > 0) return
    this.#hold(false)
    this.#idle = setTimeout(() => this.#end(), IDLE_MS).unref()
  }

  #end(): void {
    this.isAlive = false
    this.#child.stdin?.end()
  }

  #onEnd(): void {
    this.isAlive = false
    clearTimeout(this.#idle)
    for (const resolve of this.#waiting.splice(0)) resolve(undefined)
  }

  /** Whether the streams of the helper keep this process running. */
  #hold(isNeeded: boolean): void {
    for (const stream of [this.#child.stdin, this.#child.stdout] as unknown as (Socket | null)[]) {
      if (isNeeded) stream?.ref()
      else stream?.unref()
    }
  }
}
