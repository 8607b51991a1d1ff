// SPDX-License-Identifier: BSD-2-Clause
/*
 * lab-join: why502's findings against what really happened. In: findings (NDJSON), lab-load's
 * truth, the gateway's access log (lab access) and the backend's log, joined by the request id in the path.
 * Out: a table per fault, the first cases that are not right in full, and the line
 *
 *   seen N/N, right N/N, wrong N, unknown N, lost N
 *
 * A request is bad when its fault was injected and the gateway did not happen to dodge it, or when
 * the client or the gateway's log saw 5xx, 499, no byte or a cut response. Right: the expected
 * cause, the log's list of upstream addresses in its order (where the gateway hides a failure
 * and logs nothing, the table's upstream), the sockets of the backend's log,
 * and passed-through where (and only where) a backend answered. Exit status 0: all seen, none
 * wrong, at most 2 % unknown.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "join.h"

int main(int argc, char **argv)
{
	struct join app = { .show = 5 };
	int opt;

	while ((opt = getopt(argc, argv, "a:tv:")) != -1) {
		if (opt == 'a')
			app.ready_us = strtoull(optarg, NULL, 10);
		else if (opt == 't')
			app.truth_only = true; /* the logs hold other runs as well */
		else if (opt == 'v')
			app.show = (unsigned)strtoul(optarg, NULL, 10);
		else
			optind = argc;
	}
	if (argc - optind != 4) {
		fprintf(stderr,
			"usage: lab-join [-a READY_US] [-t] [-v EXAMPLES] FINDINGS TRUTH ACCESS_LOG BACKEND_LOG\n");
		return 2;
	}
	if (read_truth(&app, argv[optind + 1]) || read_access(&app, argv[optind + 2]) ||
	    read_backend(&app, argv[optind + 3]) || read_findings(&app, argv[optind]))
		return 2;
	for (size_t i = 0; i < app.cap; i++)
		if (app.table[i] && (app.table[i]->in_truth || !app.truth_only))
			judge(&app, app.table[i]);
	return print_table(&app);
}
