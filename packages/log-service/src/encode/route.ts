/** The members that all logs of a request share. */
export interface LogGroupHead {
  readonly topic: string | undefined;
  readonly source: string;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * The route of logs: a JSON object, which is the beginning of a body of web tracking. If records name their logstore, that is before it:
 * `web:{"__source__":"host"}`. No logstore has a colon or a brace in its name.
 */
export function routeOf({ topic, source, tags }: LogGroupHead, logstore?: string): string {
  const head = JSON.stringify({
    __topic__: topic,
    __source__: source,
    ...(Object.keys(tags).length > 0 && { __tags__: tags }),
  });
  return logstore === undefined ? head : `${logstore}:${head}`;
}

/** The logstore that a route names. */
export function logstoreOf(route: string): string {
  return route.slice(0, route.indexOf(':'));
}

/** The JSON object in a route. */
export function headTextOf(route: string): string {
  return route.slice(route.indexOf('{'));
}

export function headOf(route: string): LogGroupHead {
  const { __topic__: topic, __source__: source, __tags__: tags = {} } = JSON.parse(headTextOf(route));
  return { topic, source, tags };
}
