/* SPDX-License-Identifier: BSD-2-Clause */
/* A finding against what happened to its request: cause, upstreams, sockets, verdict. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "join.h"

static bool one_of(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; p; p = strchr(p, '|'), p = p ? p + 1 : NULL)
		if (!strncmp(p, word, n) && (p[n] == '|' || p[n] == '\0'))
			return true;
	return false;
}

/* The client let go of its stream in a frame that the gateway never read, so nobody could: by its
 * log its own timer ended the request. A conn that is closed can be seen by anybody. */
static bool left_unread(const struct request *r)
{
	const json_t *down = json_object_get(r->finding, "downstream");

	return r->access_status == 504 && json_object_get(down, "h2");
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
	else if (!strcmp(r->expected, "client-abort") && left_unread(r))
		snprintf(r->expected, sizeof(r->expected), "client-abort|backend-slow");
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

/* n: so many of its kind and row with this one. The first is shown, of as many as asked for. */
static void show(struct join *app, const struct request *r, unsigned n, const char *what)
{
	char *json;

	if (n > 1 || app->shown >= app->show)
		return;
	app->shown++;
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

static void judge_finding(struct join *app, struct request *r, struct row *w)
{
	bool cause = one_of(r->expected, text(r->finding, "cause"));
	bool upstream = upstreams_match(r), sockets = sockets_match(r);
	/* A stream let go of ends before the attempt for it: then none is named, and none wrongly. */
	bool unnamed = one_of(r->expected, "client-abort") &&
		       !json_array_size(json_object_get(r->finding, "attempts"));

	w->seen++;
	if (is_unknown(r->finding)) {
		w->unknown++;
		show(app, r, w->unknown, "unknown");
		return;
	}
	w->right += cause;
	w->upstream += upstream;
	w->socket_known += r->nsockets > 0;
	w->socket += r->nsockets > 0 && sockets;
	if (cause && ((upstream && sockets) || unnamed) && verdict_matches(r) && r->nfindings == 1)
		return;
	w->wrong++;
	show(app, r, w->wrong,
	     !cause		? "wrong cause"
	     : !upstream	? "wrong upstream"
	     : !sockets		? "wrong socket"
	     : r->nfindings > 1 ? "more than one finding"
				: "wrong verdict");
}

void judge(struct join *app, struct request *r)
{
	bool injected = r->in_truth && strcmp(r->expected, "none");
	struct row *w;
	char fault[40];

	if (!r->in_truth)
		snprintf(r->expected, sizeof(r->expected), "?");
	memcpy(fault, r->fault, sizeof(fault));
	settle(r);
	if (!strcmp(r->expected, "none") && !went_bad(r) && !r->finding) {
		app->healthy++;
		if (injected)
			row_get(app, fault, "(dodged)")->dodged++;
		return;
	}
	if (r->is_early && !r->finding) {
		app->early++;
		return;
	}
	w = row_get(app, r->in_truth ? fault : "(not in truth)", r->expected);
	w->injected++;
	if (r->finding) {
		judge_finding(app, r, w);
	} else if (!one_of(r->expected, "none") || went_bad(r)) {
		w->missed++;
		show(app, r, w->missed, "missed");
	} else {
		w->injected--; /* either way was fine, and it was fine */
	}
}
