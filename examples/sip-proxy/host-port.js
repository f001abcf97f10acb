/**
 * `HOST:PORT`, an IPv6 address in brackets.
 *
 * @param {string} text
 */
export function hostPort(text) {
  const colon = text.lastIndexOf(':')
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) }
}
