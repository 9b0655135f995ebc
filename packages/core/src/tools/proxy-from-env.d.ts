declare module 'proxy-from-env' {
  /** The proxy of a URL by the environment variables; empty if there is none, or `NO_PROXY` excludes the URL. */
  export function getProxyForUrl(url: string): string;
}
