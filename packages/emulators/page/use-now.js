// @ts-check
import { useEffect, useState } from 'preact/hooks';

const TICK_MS = 1000;

/** The time in epoch milliseconds; it changes each second. */
export function useNow() {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}
