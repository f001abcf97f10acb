import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/real/**', 'test/faults/**'],
    testTimeout: 20_000,
    // What is waited for comes, on a busy machine a little later: the limit is there for what never does.
    expect: { poll: { timeout: 10_000 } },
    css: true,
    // Vitest leaves one core free, which on two is half of them; tests wait more than they work.
    maxWorkers: '100%',
  },
})
