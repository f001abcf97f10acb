import { defineConfig } from 'vitest/config'

// What takes minutes: processes killed and frozen, floods, a day on a simulated clock. One file after the other, so that
// none disturbs the times of another.
export default defineConfig({
  test: {
    include: ['test/faults/**/*.test.ts'],
    testTimeout: 180_000,
    hookTimeout: 30_000,
    expect: { poll: { timeout: 10_000 } },
    fileParallelism: false,
  },
})
