import { findSystemProgram } from '../process/find-system-program.ts'
import { callFilter } from './call-filter.ts'

/** SPEC: number of prctl in the tables of Linux, by the names that Node has. */
const PRCTL: Readonly<Record<string, number>> = { x64: 157, arm64: 167 }

/**
 * Reads a filter at a file descriptor, sets it, and becomes a command. SPEC: seccomp(2): 22 and 2 are PR_SET_SECCOMP
 * and SECCOMP_MODE_FILTER; the argument is a `struct sock_fprog`. Neither script loads a module of its own.
 */
const PERL = `
my ($prctl, $descriptor) = map { $_ + 0 } splice(@ARGV, 0, 2);
open(my $input, '<&=', $descriptor) or die "the filter of system calls cannot be read: $!\\n";
binmode($input);
my $filter = do { local $/; <$input> };
my $program = pack('S x!8 P', length($filter) / 8, $filter);
syscall($prctl, 22, 2, $program) == 0 or die "the filter of system calls cannot be set: $!\\n";
exec { $ARGV[0] } @ARGV or die "$ARGV[0]: $!\\n";
`
/** Python ignores two signals, which a command would inherit, and sets a variable of the locale. */
const PYTHON = `
import ctypes, os, signal, sys
descriptor, *command = sys.argv[1:]
code = os.fdopen(int(descriptor), 'rb').read()
class Program(ctypes.Structure):
    _fields_ = [('length', ctypes.c_ushort), ('filter', ctypes.c_char_p)]
program = Program(len(code) // 8, code)
number = ctypes.c_ulong
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(22, number(2), ctypes.byref(program), number(0), number(0)) != 0:
    sys.exit('the filter of system calls cannot be set: ' + os.strerror(ctypes.get_errno()))
for name in (signal.SIGPIPE, signal.SIGXFSZ):
    signal.signal(name, signal.SIG_DFL)
os.execve(command[0], command, {})
`

/** Options of {@link filterWords}. */
export interface FilterWordsOptions {
  /** Processor, by its name in Node. @defaultValue that of this process */
  readonly arch?: string | undefined
  /** Returns the path of a program of this machine. @defaultValue looks into the directories of the system */
  readonly find?: ((name: string) => string | undefined) | undefined
}

/**
 * Returns words that, in front of a command, set a filter of system calls for it; `undefined` if no program of this
 * machine can. The command has no variables.
 *
 * `setpriv` of util-linux 2.40 can set one too, but it also sets `no_new_privs`, and set-id programs must work.
 *
 * @param descriptor - Number of the file descriptor at which the filter is read; the command should close it.
 */
export function filterWords(
  descriptor: number,
  { arch = process.arch, find = findSystemProgram }: FilterWordsOptions = {},
): readonly string[] | undefined {
  const prctl = PRCTL[arch]
  if (prctl === undefined || callFilter([], arch) === undefined) return undefined
  const perl = find('perl')
  if (perl !== undefined) return [perl, '-e', PERL, String(prctl), String(descriptor)]
  const python = find('python3')
  return python === undefined ? undefined : [python, '-I', '-S', '-c', PYTHON, String(descriptor)]
}
