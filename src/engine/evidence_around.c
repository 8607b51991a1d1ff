/* SPDX-License-Identifier: BSD-2-Clause */
/* Evidence beside the exchange and its attempts: log, names, pools, limits. */
#include "engine/evidence.h"

#include <string.h>

#include "engine/lookups.h"
#include "engine/peers.h"
#include "engine/pools.h"

static void say_no_attempt(struct writer *w)
{
	const struct failure *e = w->in->earlier;
	char up[TEXT_ENDPOINT_MAX];

	if (w->f->nattempts)
		return;
	say(w, "no upstream connection or request of the gateway was seen for this exchange");
	if (!e)
		return;
	text_endpoint(up, sizeof(up), &e->ip, e->port);
	say(w, "%s failed %s before%s%s%s", up, dur(e->ts_ns, w->f->ts_ns).s, e->cause ? ": " : "",
	    e->cause ? cause_name(e->cause) : "",
	    w->in->kin == KIN_ROUTE ? ", for the same host and path" : "");
}

static void say_lookup(struct writer *w)
{
	const struct lookup *l = w->in->lookup;
	char server[TEXT_ADDR_MAX], text[32];

	if (!l)
		return;
	text_addr(server, sizeof(server), &l->server);
	say(w, "the gateway asked %s for %.100s %u time%s, first %s before it answered the client",
	    server, l->name, l->asked, l->asked == 1 ? "" : "s", dur(l->first_ns, w->f->ts_ns).s);
	if (l->err)
		say(w,
		    "%s in place of an answer: nothing listens on UDP port 53 there, or a "
		    "firewall refuses",
		    err_name(l->err).s);
	else if (l->unanswered)
		say(w, "no answer came");
	else
		say(w, "the answer was %s, %s after the first question, %s before the client's",
		    dns_rcode_text(text, l->rcode), dur(l->first_ns, l->failed_ns).s,
		    dur(l->failed_ns, w->f->ts_ns).s);
	if (l->tied)
		say(w, "the thread that asked came from this request");
	if (l->others)
		say(w, "%u other question%s failed then, too: %.100s", l->others,
		    l->others == 1 ? "" : "s", l->other);
}

static void say_limit(struct writer *w)
{
	const struct w5_limit *l = w->in->limit;

	if (l)
		say(w,
		    "socket() found none of %u descriptors free %s before the answer, in %s thread",
		    l->limit, dur(l->h.ts_ns, w->f->ts_ns).s,
		    l->tid == w->f->down.tid ? "the answering" : "another");
}

static void say_pool(struct writer *w)
{
	const struct pool_full *x = w->in->pool;
	char up[TEXT_ENDPOINT_MAX];

	if (w->in->queued)
		say(w,
		    "the gateway's log says sQ: it waited in the queue until the queue's timeout");
	if (!x)
		return;
	text_endpoint(up, sizeof(up), &x->ip, x->port);
	say(w, "requests under way to %s: %u at every count for %s, never more within a minute", up,
	    x->in_use, dur(x->since_ns, x->seen_ns).s);
	if (x->upstreams > 1)
		say(w, "the same at all %u servers of this host and path", x->upstreams);
}

static void say_stale(struct writer *w)
{
	const struct stale *x = w->in->stale;
	char now[TEXT_ADDR_MAX], old[TEXT_ADDR_MAX];

	if (!x || !w->in->facts)
		return;
	text_addr(now, sizeof(now), &x->now);
	text_addr(old, sizeof(old), &w->in->facts->l->remote);
	if (x->naddrs)
		say(w, "%.80s stands for %s%s, looked up %s before by %s", x->name, now,
		    x->naddrs > 1 ? " and others" : "", dur(x->looked_ns, w->f->ts_ns).s,
		    x->by_answer ? "the gateway" : "why502, as the gateway would");
	else
		say(w, "%.80s stands for no address, looked up %s before", x->name,
		    dur(x->looked_ns, w->f->ts_ns).s);
	if (x->was_seen)
		say(w, "it stood for %s before", old);
	else
		say(w, "%s is none of the addresses of the gateway's configuration", old);
}

void say_around(struct writer *w)
{
	say_limit(w);
	say_no_attempt(w);
	say_lookup(w);
	say_pool(w);
	say_stale(w);
}

void say_log(struct writer *w)
{
	const struct w5_log *log = w->in->log;
	char list[160] = "", up[TEXT_ENDPOINT_MAX], code[4 * sizeof(log->code)];
	size_t n = 0;

	if (!log)
		return;
	text_escape(code, sizeof(code), log->code, strnlen(log->code, sizeof(log->code)));
	say(w, "only the gateway's log tells of it, with a time exact to %s%s%s",
	    dur(0, log->precision_us * 1000ull).s, *code ? "; its code: " : "", code);
	for (size_t i = 0; i < log->ntries && n < sizeof(list); i++) {
		const struct w5_log_try *t = &log->tries[i];

		text_endpoint(up, sizeof(up), &t->ip, t->port);
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "",
				      t->port ? up : "a local socket");
	}
	if (*list)
		say(w, "the log names as upstream: %s", list);
}

/* After everything that was seen of the exchange itself. */
#define HOST_SENTENCES 2

void say_host(struct writer *w)
{
	char text[sizeof(w->f->evidence[0])];

	for (unsigned int i = 0; i < HOST_SENTENCES; i++)
		if (sentence_host(text, sizeof(text), w->in, i))
			say(w, "%s", text);
}
