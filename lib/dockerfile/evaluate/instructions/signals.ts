const NAMES: ReadonlySet<string> = new Set(
  (
    'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP ' +
    'TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX'
  ).split(' '),
)

/** True for a signal by number (not 0), or by name, with or without `SIG`, real-time signals included. */
export function isSignal(text: string): boolean {
  if (/^[+-]?\d+$/.test(text)) return Number(text) !== 0
  const name = text.toUpperCase().replace(/^SIG/, '')
  const realTime = /^RT(MIN\+|MAX-)([1-9]\d?)$/.exec(name)
  if (realTime) return Number(realTime[2]) <= (realTime[1] === 'MIN+' ? 15 : 14)
  return NAMES.has(name)
}
