/* SPDX-License-Identifier: BSD-2-Clause */
/* A row for each fault and what must be said of it, and the table of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "join.h"

#define UNKNOWN_PART 50 /* one in so many may stay unknown */

struct row *row_get(struct join *app, const char *fault, const char *cause)
{
	struct row *w;

	for (w = app->rows; w < app->rows + app->nrows; w++)
		if (!strcmp(w->fault, fault) && !strcmp(w->cause, cause))
			return w;
	if (app->nrows == FAULTS_MAX)
		return &app->rows[FAULTS_MAX - 1];
	app->nrows++;
	snprintf(w->fault, sizeof(w->fault), "%s", fault);
	snprintf(w->cause, sizeof(w->cause), "%s", cause);
	return w;
}

static int by_name(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int d = strcmp(x->cause, y->cause);

	return d ? d : strcmp(x->fault, y->fault);
}

int print_table(struct join *app)
{
	struct row t = { 0 };

	qsort(app->rows, app->nrows, sizeof(app->rows[0]), by_name);
	printf("\n%-28s %-26s %8s %6s %6s %8s %11s %5s %7s %6s\n", "CAUSE", "FAULT", "INJECTED",
	       "SEEN", "CAUSE", "UPSTREAM", "SOCKET", "WRONG", "UNKNOWN", "MISSED");
	for (struct row *w = app->rows; w < app->rows + app->nrows; w++) {
		if (w->dodged) {
			printf("%-28s %-26s %8u   (the gateway avoided these; healthy)\n", w->cause,
			       w->fault, w->dodged);
			continue;
		}
		printf("%-28s %-26s %8u %6u %6u %8u %5u/%-5u %5u %7u %6u\n", w->cause, w->fault,
		       w->injected, w->seen, w->right, w->upstream, w->socket, w->socket_known,
		       w->wrong, w->unknown, w->missed);
		t.injected += w->injected;
		t.seen += w->seen;
		t.wrong += w->wrong;
		t.unknown += w->unknown;
		t.missed += w->missed;
	}
	printf("healthy requests without a finding: %lu; findings of other traffic: %lu",
	       app->healthy, app->stray);
	if (app->ready_us)
		printf("; bad before why502 was ready, not seen: %lu", app->early);
	printf("\nseen %u/%u, right %u/%u, wrong %u, unknown %u, lost %lu\n", t.seen, t.injected,
	       t.seen - t.wrong - t.unknown, t.injected, t.wrong, t.unknown, app->lost);
	return t.injected && !t.missed && !t.wrong && t.unknown * UNKNOWN_PART <= t.injected ? 0
											     : 1;
}
