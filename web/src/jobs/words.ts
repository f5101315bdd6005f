/** Counts, times and sizes as people read them. */

export const many = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`;

/** "0.4 s", "12 s", "3 min 20 s", "2 h 5 min". */
export function duration(seconds: number): string {
  if (seconds < 0.0995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  if (minutes < 60) return rest && minutes < 10 ? `${minutes} min ${rest} s` : `${minutes} min`;
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`;
}

const UNITS = ["B", "kB", "MB", "GB", "TB"];

export function bytes(count: number): string {
  const step = Math.min(Math.max(Math.floor(Math.log10(Math.max(count, 1)) / 3), 0), UNITS.length - 1);
  const value = count / 1000 ** step;
  return `${value >= 9.95 || step === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[step] ?? ""}`;
}

/** "14:05" today, "Mon 14:05" within a week, a date before. */
export function moment(ms: number, now = Date.now()): string {
  const then = new Date(ms);
  const time = then.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  if (then.toDateString() === new Date(now).toDateString()) return time;
  if (now - ms < 6 * 86_400_000) return `${then.toLocaleDateString([], { weekday: "short" })} ${time}`;
  return then.toLocaleDateString([], { day: "numeric", month: "short", year: "numeric" });
}
