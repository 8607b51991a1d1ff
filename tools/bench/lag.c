// SPDX-License-Identifier: BSD-2-Clause
/*
 * bench-lag: reads why502's NDJSON as it comes and says how long after the bad response
 * each finding arrived. In: lines on stdin. Out: every line, copied to stdout, and at the
 * end one line "lag COUNT P50_MS P99_MS MAX_MS" on stderr.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FINDINGS_MAX 65536

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Seconds since 1970 of the line's "ts":"2026-11-22T12:06:21.341402Z"; 0 if it has none. */
static double line_time(const char *line)
{
	const char *ts = strstr(line, "\"ts\":\"");
	struct tm tm = { 0 };
	char *end;

	if (!ts)
		return 0;
	end = strptime(ts + 6, "%Y-%m-%dT%H:%M:%S", &tm);
	return end ? (double)timegm(&tm) + strtod(end, NULL) : 0;
}

int main(void)
{
	static double lag[FINDINGS_MAX];
	size_t n = 0, cap = 0;
	char *line = NULL;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (getline(&line, &cap, stdin) > 0) {
		struct timespec now;
		double at = line_time(line);

		clock_gettime(CLOCK_REALTIME, &now);
		if (at > 0 && strstr(line, "\"type\":\"finding\"") && n < FINDINGS_MAX)
			lag[n++] = ((double)now.tv_sec + (double)now.tv_nsec / 1e9 - at) * 1e3;
		fputs(line, stdout);
	}
	free(line);
	qsort(lag, n, sizeof(*lag), by_value);
	if (n)
		fprintf(stderr, "lag %zu %.1f %.1f %.1f\n", n, lag[n / 2], lag[n * 99 / 100],
			lag[n - 1]);
	else
		fprintf(stderr, "lag 0 - - -\n");
	return 0;
}
