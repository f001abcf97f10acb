export class EmbeddedRelay {
  urls: string[] = []
  constructor(_o: { listen: string }) {}
  async start(): Promise<void> {}
  async close(): Promise<void> {}
}
