/* SPDX-License-Identifier: BSD-2-Clause */
/* Which look-up failed while an exchange waited: see lookups.h. */
#include "engine/correlate.h"
#include "engine/lookups_impl.h"

#include <string.h>

#define FAMILY_NS  (60 * NS_PER_S)   /* A and AAAA are asked for together, mostly */
#define SHARED_NS  (60 * NS_PER_S)   /* a request joins a look-up under way: at most so old */
#define WAITED_NS  (100 * NS_PER_MS) /* who gives up on a silent server has waited */
#define PROMPT_NS  (200 * NS_PER_MS) /* from the answer that failed to the gateway's own */
#define SOON_NS	   (250 * NS_PER_MS) /* who needs a name asks when the request is there */
#define FAILING_NS (60 * NS_PER_S)   /* asked again at least so often (HAProxy: seconds) */

/* One more name than it was asked for: a resolver tries those of its search list in turn. */
static bool same_search(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b), least = n < m ? n : m;

	return !memcmp(a, b, least) && (n == m || (n > m ? a : b)[least] == '.');
}

/* Without an error and without an address: the name has none of that family, but of the other. */
static bool is_other_family(const struct ask *a, uint64_t now_ns)
{
	const struct name *n = a->name;

	return a->end == ASK_FAILED && !a->rcode && n->ok_ns && n->ok_ns <= now_ns &&
	       n->ok_ns + FAMILY_NS >= a->sent_ns;
}

static bool names_exchange(const struct engine *e, const struct pending *p, const struct ask *a)
{
	return a->asker == p->leg.h.cookie && trail_is_exact(e, p) &&
	       (p->leg.stream || a->hint_ns + SLACK_NS >= turn_asked_after(p));
}

/* What a question must have to do with the exchange. */
enum tie { TIE_TRAIL, TIE_ROUTE, TIE_TIME };

static bool ask_fits(const struct pending *p, const struct ask *a, enum tie tie)
{
	uint64_t req = p->leg.req_ns, ts = p->ts_ns;
	uint64_t since = a->sent_ns > req ? a->sent_ns : req;

	if (a->name->gw != p->gw || a->sent_ns > ts || a->end == ASK_ELSEWHERE ||
	    a->end == ASK_ANSWERED || (a->name->ok_ns >= a->sent_ns && a->name->ok_ns <= ts))
		return false;
	if (is_other_family(a, ts))
		return false;
	if (a->end == ASK_OPEN || a->end_ns > ts + SLACK_NS) /* the gateway gave up on it */
		return ts > since + WAITED_NS && a->sent_ns + SHARED_NS > req;
	if (a->end_ns + SLACK_NS < req && a->end == ASK_FAILED)
		return false;
	if (a->end == ASK_REFUSED && a->sent_ns + SLACK_NS < req)
		return false;
	return tie == TIE_TRAIL || a->end == ASK_REFUSED || ts < a->end_ns + PROMPT_NS;
}

static void lookup_add(struct lookup *l, const struct ask *a, uint64_t ts)
{
	bool is_open = a->end == ASK_OPEN || a->end_ns > ts + SLACK_NS;

	if (!l->asked || strlen(a->name->text) < strlen(l->name))
		memcpy(l->name, a->name->text, sizeof(l->name));
	l->asked++;
	if (!l->first_ns || a->sent_ns < l->first_ns)
		l->first_ns = a->sent_ns;
	if (l->asked == 1)
		l->server = a->server;
	/* From the newest to the oldest: the newest answer there is says why. */
	if (a->end == ASK_FAILED && !is_open && !l->failed_ns) {
		l->rcode = a->rcode;
		l->failed_ns = a->end_ns;
		l->server = a->server;
	}
	if (a->end == ASK_REFUSED && !l->err)
		l->err = a->err;
}

static void lookup_finish(struct lookup *l, uint64_t ts)
{
	l->unanswered = !l->failed_ns;
	if (!l->failed_ns)
		l->failed_ns = ts;
}

/* The newest name is the one told; of others only how many questions there were. */
static void take(struct lookup *l, const struct ask *a, uint64_t ts)
{
	if (!l->asked || same_search(l->name, a->name->text))
		lookup_add(l, a, ts);
	else if (!l->others++)
		memcpy(l->other, a->name->text, sizeof(l->other));
}

static uint64_t route_of(const struct pending *p)
{
	struct head h;

	return head_parse(&h, &p->leg) ? head_route(&h).path : 0;
}

/* Adds up the questions that fit. */
static bool collect(const struct engine *e, const struct pending *p, enum tie tie,
		    struct lookup *out)
{
	uint64_t route = tie == TIE_ROUTE ? route_of(p) : 0;
	int left = SCAN_MAX;
	struct list *n;

	memset(out, 0, sizeof(*out));
	for (n = e->lookups->asks.prev; n != &e->lookups->asks && left--; n = n->prev) {
		const struct ask *a = list_entry(n, struct ask, by_time);

		if (!ask_fits(p, a, tie) || (tie == TIE_TRAIL && !names_exchange(e, p, a)) ||
		    (tie == TIE_ROUTE && (!route || a->name->route != route)))
			continue;
		take(out, a, p->ts_ns);
	}
	if (!out->asked)
		return false;
	lookup_finish(out, p->ts_ns);
	return true;
}

/* The same name asked again by a timer, on nobody's behalf, belongs to it. */
static void add_repeats(const struct engine *e, const struct pending *p, struct lookup *l)
{
	struct lookup all;

	if (collect(e, p, TIE_TIME, &all) && !strcmp(all.name, l->name) && all.asked > l->asked) {
		l->asked = all.asked;
		l->err = l->err ? l->err : all.err;
	}
}

/* Of a later try, or of another request: the trail would tell of the one, time alone of neither. */
static bool asked_too_late(const struct pending *p, const struct lookup *l)
{
	uint64_t asked = p->leg.req_last_ns ? p->leg.req_last_ns : p->leg.req_ns;

	return l->first_ns > asked + SOON_NS;
}

bool lookups_failed(const struct engine *e, const struct pending *p, struct lookup *out)
{
	if (!e->lookups || p->gw < 0 || !p->leg.req_ns)
		return false;
	if (collect(e, p, TIE_TRAIL, out)) {
		struct name *n = lookups_name(e->lookups, p->gw, out->name);

		out->tied = true;
		if (n && !out->others)
			n->route = route_of(p);
		if (out->unanswered)
			add_repeats(e, p, out);
		return true;
	}
	return collect(e, p, TIE_ROUTE, out) ||
	       (collect(e, p, TIE_TIME, out) && !asked_too_late(p, out));
}

bool lookups_failing(const struct engine *e, int gw, uint64_t ns, struct lookup *out)
{
	int left = SCAN_MAX;
	struct list *n;

	memset(out, 0, sizeof(*out));
	if (!e->lookups)
		return false;
	for (n = e->lookups->asks.prev; n != &e->lookups->asks && left--; n = n->prev) {
		const struct ask *a = list_entry(n, struct ask, by_time);

		if (a->name->gw != gw || a->sent_ns > ns || a->sent_ns + FAILING_NS < ns ||
		    a->name->ok_ns >= a->sent_ns || a->end == ASK_ELSEWHERE ||
		    a->end == ASK_ANSWERED || is_other_family(a, ns) ||
		    (a->end == ASK_OPEN && a->sent_ns + WAITED_NS > ns))
			continue;
		take(out, a, ns);
	}
	if (!out->asked)
		return false;
	lookup_finish(out, ns);
	return true;
}
