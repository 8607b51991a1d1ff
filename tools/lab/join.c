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
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIELDS_MAX   12
#define ADDRS_MAX    16 /* tries of one request: a pool of dead conns, then a new one */
#define SOCKETS_MAX  16
#define FAULTS_MAX   128
#define UNKNOWN_PART 50 /* one in so many may stay unknown */

struct socket_pair {
	unsigned gateway_port, backend_port;
};

struct request {
	char id[24], fault[40], expected[80], upstream[64], status[8];
	bool in_truth, complete, in_access, queued, is_early;
	uint64_t sent_us;
	unsigned access_status;
	char *truth_line, *access_line;
	size_t naddrs, nsockets, nfindings;
	char addrs[ADDRS_MAX][64];
	struct socket_pair sockets[SOCKETS_MAX];
	json_t *finding;
};

struct row {
	char fault[40], cause[80];
	unsigned injected, dodged, seen, right, upstream, socket, socket_known;
	unsigned wrong, unknown, missed;
	bool is_shown;
};

static struct {
	struct request **table; /* open addressing */
	size_t cap, used;
	struct row rows[FAULTS_MAX];
	size_t nrows;
	uint64_t ready_us;
	bool truth_only;
	unsigned shown, show;
	unsigned long stray, lost, healthy, early;
} app = { .show = 5 };

/* ---- requests by id ------------------------------------------------------------------- */

static struct request **slot(const char *id)
{
	uint64_t h = 1469598103934665603ull;
	size_t i;

	for (const char *p = id; *p; p++)
		h = (h ^ (uint8_t)*p) * 1099511628211ull;
	for (i = h & (app.cap - 1); app.table[i] && strcmp(app.table[i]->id, id);)
		i = (i + 1) & (app.cap - 1);
	return &app.table[i];
}

static void grow(void)
{
	struct request **old = app.table;
	size_t n = app.cap;

	app.cap = n ? n * 2 : 1 << 16;
	app.table = calloc(app.cap, sizeof(*app.table));
	if (!app.table)
		exit(1);
	for (size_t i = 0; i < n; i++)
		if (old[i])
			*slot(old[i]->id) = old[i];
	free(old);
}

static struct request *request_get(const char *id, bool create)
{
	struct request **s;

	if (app.used * 2 >= app.cap)
		grow();
	s = slot(id);
	if (!*s && create) {
		*s = calloc(1, sizeof(**s));
		if (!*s)
			exit(1);
		snprintf((*s)->id, sizeof((*s)->id), "%s", id);
		app.used++;
	}
	return *s;
}

/* "/fault/ID?c=cause" -> ID; false if the path is not the lab's. */
static bool id_of(char *out, size_t cap, const char *target)
{
	const char *p = target[0] == '/' ? strchr(target + 1, '/') : NULL;
	size_t n = p ? strspn(p + 1, "0123456789abcdef") : 0;

	if (n != 12 || n >= cap)
		return false;
	memcpy(out, p + 1, n);
	out[n] = '\0';
	return true;
}

static size_t split(char *line, char **field)
{
	size_t n = 0;

	line[strcspn(line, "\n")] = '\0';
	while (n < FIELDS_MAX && line) {
		field[n++] = line;
		line = strchr(line, '\t');
		if (line)
			*line++ = '\0';
	}
	return n;
}

/* Calls fn for every line with at least min fields; whole is the line as it stood. */
static int each_line(const char *path, size_t min, void (*fn)(char **field, const char *whole))
{
	FILE *in = fopen(path, "r");
	char line[4096], whole[4096], *field[FIELDS_MAX] = { 0 };

	if (!in) {
		perror(path);
		return -1;
	}
	while (fgets(line, sizeof(line), in)) {
		memcpy(whole, line, sizeof(line));
		if (split(line, field) >= min)
			fn(field, whole);
	}
	fclose(in);
	return 0;
}

static void on_truth(char **f, const char *whole)
{
	struct request *r = request_get(f[0], true);

	r->in_truth = true;
	snprintf(r->fault, sizeof(r->fault), "%s", f[1]);
	snprintf(r->expected, sizeof(r->expected), "%s", f[2]);
	snprintf(r->upstream, sizeof(r->upstream), "%s", f[3]);
	snprintf(r->status, sizeof(r->status), "%s", f[5]);
	r->sent_us = strtoull(f[4], NULL, 10);
	r->complete = f[7][0] == '1';
	r->is_early = r->sent_us < app.ready_us;
	r->truth_line = strdup(whole);
}

/* msec method uri status upstream_addr upstream_status ... */
static void on_access(char **f, const char *whole)
{
	struct request *r;
	char id[24];

	if (!id_of(id, sizeof(id), f[2]))
		return;
	r = request_get(id, true);
	r->in_access = true;
	r->access_status =
		(unsigned)strtoul(f[3][0] == '-' ? "0" : f[3], NULL, 10); /* -1: HAProxy */
	r->access_line = strdup(whole);
	for (char *a = strtok(f[4], ", "); a; a = strtok(NULL, ", "))
		if (strrchr(a, ':') && a[strlen(a) - 1] != ':' && r->naddrs < ADDRS_MAX)
			snprintf(r->addrs[r->naddrs++], sizeof(r->addrs[0]), "%s", a);
}

/* backend: time event peer_ip peer_port local_port id ... */
static void on_backend(char **f, const char *whole)
{
	struct request *r = f[5][0] != '-' ? request_get(f[5], false) : NULL;

	if (!r)
		return;
	if (!strcmp(f[1], "queued"))
		r->queued = true;
	if (!strcmp(f[1], "request") && r->nsockets < SOCKETS_MAX)
		r->sockets[r->nsockets++] = (struct socket_pair){
			.gateway_port = (unsigned)atoi(f[3]),
			.backend_port = (unsigned)atoi(f[4]),
		};
}

static int read_findings(const char *path)
{
	FILE *in = fopen(path, "r");
	struct request *r;
	const char *type;
	char *line = NULL, id[24];
	size_t cap = 0;
	json_t *j;

	if (!in) {
		perror(path);
		return -1;
	}
	while (getline(&line, &cap, in) > 0) {
		j = json_loads(line, 0, NULL);
		type = json_string_value(json_object_get(j, "type"));
		if (!type) {
			fprintf(stderr, "not a JSON object with a type: %s", line);
			return -1;
		}
		if (!strcmp(type, "stats"))
			app.lost = (unsigned long)json_integer_value(json_object_get(j, "lost"));
		if (strcmp(type, "finding")) {
			json_decref(j);
			continue;
		}
		const char *target =
			json_string_value(json_object_get(json_object_get(j, "request"), "target"));
		r = target && id_of(id, sizeof(id), target) ? request_get(id, false) : NULL;
		if (!r) {
			app.stray++;
			json_decref(j);
			continue;
		}
		r->nfindings++;
		if (r->finding)
			json_decref(r->finding);
		r->finding = j;
	}
	free(line);
	fclose(in);
	return 0;
}

/* ---- judging -------------------------------------------------------------------------- */

static bool one_of(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; p; p = strchr(p, '|'), p = p ? p + 1 : NULL)
		if (!strncmp(p, word, n) && (p[n] == '|' || p[n] == '\0'))
			return true;
	return false;
}

/* What the logs say about a row that can show itself in two ways. */
static void settle(struct request *r)
{
	bool is_200 = !strcmp(r->status, "200") && r->complete;
	bool maybe = r->naddrs == 1 && strchr(r->addrs[0], '+');

	if (is_200 && r->naddrs > 1)
		snprintf(r->expected, sizeof(r->expected), "retry-recovered");
	else if (is_200 && maybe) /* the log does not tell how often it tried */
		snprintf(r->expected, sizeof(r->expected), "retry-recovered|none");
	else if (is_200 && one_of("truncated-body|not-http", r->expected))
		return; /* the gateway ended it as if it were whole, or took it for a body */
	else if (is_200 && r->naddrs == 1 && strcmp(r->expected, "none"))
		snprintf(r->expected, sizeof(r->expected), "none"); /* the gateway dodged it */
	else if (one_of(r->expected, "no-live-upstream"))
		snprintf(r->expected, sizeof(r->expected), "%s",
			 r->naddrs ? "conn-refused" : "no-live-upstream");
	else if (one_of(r->expected, "accept-queue-overflow"))
		snprintf(r->expected, sizeof(r->expected), "%s",
			 r->queued ? "backend-slow" : "accept-queue-overflow");
	else if (!strcmp(r->expected, "early-response-reset") && !strcmp(r->status, "413"))
		snprintf(r->expected, sizeof(r->expected), "early-response-reset|none");
}

static bool went_bad(const struct request *r)
{
	return (r->in_truth && !r->complete) || r->access_status == 499 ||
	       r->access_status >= 500 || atoi(r->status) >= 500;
}

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static long number(const json_t *o, const char *a, const char *b)
{
	return (long)json_integer_value(json_object_get(json_object_get(o, a), b));
}

/* A + at the end of want: this one, as often as you like. */
static bool is_upstream(const json_t *attempt, const char *want)
{
	const char *ip = text(json_object_get(attempt, "upstream"), "ip");
	const char *path = text(json_object_get(attempt, "upstream"), "path");
	char addr[128];

	if (*path)
		return !strncmp(want, "unix:", 5) && !strcmp(want + 5, path);
	snprintf(addr, sizeof(addr), strchr(ip, ':') && ip[0] != '[' ? "[%s]:%ld" : "%s:%ld", ip,
		 number(attempt, "upstream", "port"));
	return !strncmp(addr, want, strcspn(want, "+")) && strlen(addr) == strcspn(want, "+");
}

static bool upstreams_match(const struct request *r)
{
	json_t *attempts = json_object_get(r->finding, "attempts");
	size_t n = json_array_size(attempts);
	/* There was no socket to connect: the log may name the peer all the same. */
	bool unmade = !strcmp(r->expected, "fd-limit") && n + 1 == r->naddrs;

	if (!r->in_access)
		return !r->in_truth || !n ||
		       is_upstream(json_array_get(attempts, n - 1), r->upstream);
	if (n != r->naddrs && !unmade && !(n && r->naddrs == 1 && strchr(r->addrs[0], '+')))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_upstream(json_array_get(attempts, i), r->addrs[i < r->naddrs ? i : 0]))
			return false;
	return true;
}

static bool sockets_match(const struct request *r)
{
	json_t *attempts = json_object_get(r->finding, "attempts"), *a;
	size_t i, k;

	for (i = 0; i < r->nsockets; i++) {
		json_array_foreach(attempts, k, a) if (number(a, "local", "port") ==
							       r->sockets[i].gateway_port &&
						       number(a, "upstream", "port") ==
							       r->sockets[i].backend_port) break;
		if (k == json_array_size(attempts))
			return false;
	}
	return true;
}

static bool verdict_matches(const struct request *r)
{
	bool passed = !strcmp(text(r->finding, "verdict"), "passed-through");

	/* a gateway hands on what a backend sent, also when it is cut short or not HTTP */
	static const char *const either[] = {
		"truncated-body",	  "pmtu-blackhole",	  "not-http",
		"tls-plaintext-mismatch", "early-response-reset", "early-response-reset|none",
	};

	for (size_t i = 0; i < sizeof(either) / sizeof(either[0]); i++)
		if (!strcmp(r->expected, either[i]))
			return true;
	return passed == !strcmp(r->expected, "backend-5xx");
}

static bool is_unknown(const json_t *finding)
{
	return !strcmp(text(finding, "cause"), "insufficient-evidence") ||
	       !strcmp(text(finding, "confidence"), "ambiguous");
}

/* The first case of a row, of as many rows as were asked for. */
static void show(const struct request *r, struct row *w, const char *what)
{
	char *json;

	if (w->is_shown || app.shown >= app.show)
		return;
	w->is_shown = true;
	app.shown++;
	json = r->finding ? json_dumps(r->finding, JSON_COMPACT) : NULL;
	printf("\n%s: expected %s\n  truth   %s", what, r->expected,
	       r->truth_line ? r->truth_line : "-\n");
	printf("  gateway %s", r->access_line ? r->access_line : "-\n");
	for (size_t i = 0; i < r->nsockets; i++)
		printf("  backend read it from port %u on port %u\n", r->sockets[i].gateway_port,
		       r->sockets[i].backend_port);
	printf("  finding %s\n", json ? json : "-");
	free(json);
}

static struct row *row_get(const char *fault, const char *cause)
{
	struct row *w;

	for (w = app.rows; w < app.rows + app.nrows; w++)
		if (!strcmp(w->fault, fault) && !strcmp(w->cause, cause))
			return w;
	if (app.nrows == FAULTS_MAX)
		return &app.rows[FAULTS_MAX - 1];
	app.nrows++;
	snprintf(w->fault, sizeof(w->fault), "%s", fault);
	snprintf(w->cause, sizeof(w->cause), "%s", cause);
	return w;
}

static void judge_finding(struct request *r, struct row *w)
{
	bool cause = one_of(r->expected, text(r->finding, "cause"));
	bool upstream = upstreams_match(r), sockets = sockets_match(r);
	/* A stream let go of ends before the attempt for it: then none is named, and none wrongly. */
	bool unnamed = !strcmp(r->expected, "client-abort") &&
		       !json_array_size(json_object_get(r->finding, "attempts"));

	w->seen++;
	if (is_unknown(r->finding)) {
		w->unknown++;
		show(r, w, "unknown");
		return;
	}
	w->right += cause;
	w->upstream += upstream;
	w->socket_known += r->nsockets > 0;
	w->socket += r->nsockets > 0 && sockets;
	if (cause && ((upstream && sockets) || unnamed) && verdict_matches(r) && r->nfindings == 1)
		return;
	w->wrong++;
	show(r, w,
	     !cause		? "wrong cause"
	     : !upstream	? "wrong upstream"
	     : !sockets		? "wrong socket"
	     : r->nfindings > 1 ? "more than one finding"
				: "wrong verdict");
}

static void judge(struct request *r)
{
	bool injected = r->in_truth && strcmp(r->expected, "none");
	struct row *w;
	char fault[40];

	if (!r->in_truth)
		snprintf(r->expected, sizeof(r->expected), "?");
	memcpy(fault, r->fault, sizeof(fault));
	settle(r);
	if (!strcmp(r->expected, "none") && !went_bad(r) && !r->finding) {
		app.healthy++;
		if (injected)
			row_get(fault, "(dodged)")->dodged++;
		return;
	}
	if (r->is_early && !r->finding) {
		app.early++;
		return;
	}
	w = row_get(r->in_truth ? fault : "(not in truth)", r->expected);
	w->injected++;
	if (r->finding) {
		judge_finding(r, w);
	} else if (!one_of(r->expected, "none") || went_bad(r)) {
		w->missed++;
		show(r, w, "missed");
	} else {
		w->injected--; /* either way was fine, and it was fine */
	}
}

/* ---- output --------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int d = strcmp(x->cause, y->cause);

	return d ? d : strcmp(x->fault, y->fault);
}

static int print_table(void)
{
	struct row t = { 0 };

	qsort(app.rows, app.nrows, sizeof(app.rows[0]), by_name);
	printf("\n%-28s %-26s %8s %6s %6s %8s %11s %5s %7s %6s\n", "CAUSE", "FAULT", "INJECTED",
	       "SEEN", "CAUSE", "UPSTREAM", "SOCKET", "WRONG", "UNKNOWN", "MISSED");
	for (struct row *w = app.rows; w < app.rows + app.nrows; w++) {
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
	       app.healthy, app.stray);
	if (app.ready_us)
		printf("; bad before why502 was ready, not seen: %lu", app.early);
	printf("\nseen %u/%u, right %u/%u, wrong %u, unknown %u, lost %lu\n", t.seen, t.injected,
	       t.seen - t.wrong - t.unknown, t.injected, t.wrong, t.unknown, app.lost);
	return t.injected && !t.missed && !t.wrong && t.unknown * UNKNOWN_PART <= t.injected ? 0
											     : 1;
}

int main(int argc, char **argv)
{
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
	if (each_line(argv[optind + 1], 10, on_truth) ||
	    each_line(argv[optind + 2], 8, on_access) ||
	    each_line(argv[optind + 3], 8, on_backend) || read_findings(argv[optind]))
		return 2;
	for (size_t i = 0; i < app.cap; i++)
		if (app.table[i] && (app.table[i]->in_truth || !app.truth_only))
			judge(app.table[i]);
	return print_table();
}
