// Instants and lengths of time in words, as `status.words.times` writes them: a page that was loaded and one that lives say
// the same. A test compares.

const two = (number) => String(number).padStart(2, "0");

/** `45s`, `3m12s`, `2h05m`, `3d4h`; below ten seconds with a tenth. */
export function span(seconds) {
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)}ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)}h${two(Math.floor((whole % 3600) / 60))}m`;
  return `${Math.floor(whole / 86400)}d${Math.floor((whole % 86400) / 3600)}h`;
}

/** `58s ago`, `in 2h5m`, `now` within a second; both in milliseconds. */
export function relative(at, now) {
  const seconds = (now - at) / 1000;
  if (Math.abs(seconds) < 1) return "now";
  const text = short(Math.round(Math.abs(seconds)));
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}

function short(seconds) {
  for (const [size, unit, smaller, name] of [[86400, "d", 3600, "h"], [3600, "h", 60, "m"], [60, "m", 1, "s"]]) {
    if (seconds < size) continue;
    const rest = Math.floor((seconds % size) / smaller);
    return `${Math.floor(seconds / size)}${unit}` + (rest && seconds < 10 * size ? `${rest}${name}` : "");
  }
  return `${seconds}s`;
}
