/* What every yardstick does: read the message, run the work in rounds, print the median round as JSON. */
#ifndef TIMING_H
#define TIMING_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 7
#define RUNS 2000

static double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static char *read_file(const char *path, size_t *length)
{
	static char bytes[65536];
	FILE *file = fopen(path, "rb");
	if (!file) {
		perror(path);
		exit(1);
	}
	*length = fread(bytes, 1, sizeof bytes - 1, file);
	fclose(file);
	return bytes;
}

/* `work` returns 0, or the program ends: an answer that is wrong is not worth timing. */
static int run(const char *name, int (*work)(void))
{
	double rounds[ROUNDS];
	for (int i = 0; i < ROUNDS; i++) {
		double start = now_ns();
		for (int j = 0; j < RUNS; j++) {
			if (work()) {
				fprintf(stderr, "%s: the message could not be read\n", name);
				return 1;
			}
		}
		rounds[i] = (now_ns() - start) / RUNS;
	}
	qsort(rounds, ROUNDS, sizeof rounds[0], by_value);
	printf("{\"name\":\"%s\",\"ns\":%.0f}\n", name, rounds[ROUNDS / 2]);
	return 0;
}

#endif
