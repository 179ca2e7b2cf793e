/** Time zones by their IANA names. */

/** Whether this platform knows the zone. An offset such as +02:00 is none: it has no daylight saving. */
export function isTimezone(name: string): boolean {
  if (!/^[A-Za-z][\w+/-]*$/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
