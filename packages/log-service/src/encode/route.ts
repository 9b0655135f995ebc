/** The members that all logs of a request share. */
export interface LogGroupHead {
  readonly topic: string | undefined;
  readonly source: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** The route of logs: a JSON object, which is the beginning of a body of web tracking. */
export function routeOf({ topic, source, tags }: LogGroupHead): string {
  return JSON.stringify({
    __topic__: topic,
    __source__: source,
    ...(Object.keys(tags).length > 0 && { __tags__: tags }),
  });
}

export function headOf(route: string): LogGroupHead {
  const { __topic__: topic, __source__: source, __tags__: tags = {} } = JSON.parse(route);
  return { topic, source, tags };
}
