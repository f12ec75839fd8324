// Numbers and times as people read them.

/** A whole number with separators: 1,234,567. */
export function counted(number: number): string {
  return Math.round(number).toLocaleString("en-US");
}

/** With its noun, in the singular where it is one: "1 text", "2,000 texts". */
export function countedNoun(number: number, noun: string, plural = `${noun}s`): string {
  return `${counted(number)} ${number === 1 ? noun : plural}`;
}

/** A share of 1 as a whole per cent. */
export function percent(share: number): string {
  return `${Math.floor(share * 100 + 1e-9)} %`;
}

/** How often a second: "812/s", "3.4/s". */
export function perSecond(rate: number): string {
  return `${rate > 0 && rate < 10 ? rate.toFixed(1) : counted(rate)}/s`;
}

/** A time span in its two largest units: "350 ms", "4.2 s", "20 s", "3 min 20 s", "2 h 5 min", "3 d 4 h". */
export function span(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1).replace(".0", "")} s`;
  const seconds = Math.round(ms / 1000);
  const [minutes, hours] = [Math.floor(seconds / 60), Math.floor(seconds / 3600)];
  if (hours < 1) return pair(minutes, "min", seconds % 60, "s");
  if (hours < 48) return pair(hours, "h", minutes % 60, "min");
  return pair(Math.floor(hours / 24), "d", hours % 24, "h");
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** Text of somebody else's on one line of a terminal: no control characters, no more than `length`. */
export function oneLine(text: string, length: number = Number.POSITIVE_INFINITY): string {
  const clean = text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ");
  return clean.length <= length ? clean : `${clean.slice(0, Math.max(0, length - 1))}…`;
}

/** Text of somebody else's on a terminal, with its line breaks and tabs but no other control characters. */
export function printable(text: string): string {
  return text.replaceAll(/\r\n/g, "\n").replaceAll(/[^\P{Cc}\n\t]+/gu, " ");
}
