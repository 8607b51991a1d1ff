/* SPDX-License-Identifier: BSD-2-Clause */
/* The sentences about names: which did not resolve, and who said so. */
#include "engine/lookups.h"
#include "engine/peers.h"
#include "engine/words.h"

SAY_SHARED(why_dns)
{
	const struct lookup *l = in->lookup;
	char server[TEXT_ADDR_MAX], text[32], took[16], head[160];

	(void)w;
	if (!l)
		return;
	text_addr(server, sizeof(server), &l->server);
	text_duration(took, sizeof(took), l->failed_ns - l->first_ns);
	if (l->aside)
		words_put(head, sizeof(head),
			  "the gateway had no server to try: %.100s does not resolve", l->name);
	else
		words_put(head, sizeof(head), "the gateway could not resolve %.100s", l->name);
	if (l->unanswered && l->err)
		words_put(out, cap, "%s: %s refused its question (UDP port 53, ICMP)", head,
			  server);
	else if (l->unanswered)
		words_put(out, cap, "%s: %s gave no answer to %u quer%s in %s", head, server,
			  l->asked, l->asked == 1 ? "y" : "ies", took);
	else
		words_put(out, cap, "%s: %s answered %s", head, server,
			  dns_rcode_text(text, l->rcode));
}

SAY_SHARED(next_dns)
{
	const struct lookup *l = in->lookup;
	char server[TEXT_ADDR_MAX];

	(void)w;
	if (!l)
		return;
	text_addr(server, sizeof(server), &l->server);
	if (l->unanswered)
		words_put(
			out, cap,
			"on this host: dig @%s %.100s; is a resolver up there, and is the gateway's resolver setting right?",
			server, l->name);
	else if (l->rcode == DNS_NXDOMAIN || !l->rcode)
		words_put(
			out, cap,
			"on this host: dig @%s %.100s; correct the name in the gateway's configuration, or its zone",
			server, l->name);
	else
		words_put(
			out, cap,
			"on this host: dig @%s %.100s; read the log of that resolver and of the servers it asks",
			server, l->name);
}

static const char *gateway_of(const struct sentence_input *in)
{
	return in->f->gateway_name[0] ? in->f->gateway_name : "the gateway";
}

SAY_SHARED(why_wrong_peer)
{
	const struct stale *x = in->stale;
	char now[TEXT_ADDR_MAX], old[TEXT_ADDR_MAX];

	(void)w;
	if (!x || !in->facts)
		return;
	text_addr(old, sizeof(old), &in->facts->l->remote);
	text_addr(now, sizeof(now), &x->now);
	if (!x->naddrs)
		words_put(out, cap, "%.100s has no address any more, %s still uses %s (%s)",
			  x->name, gateway_of(in), old, cause_name(x->plain));
	else
		words_put(out, cap, "%.100s is %s now, %s still uses %s%s (%s)", x->name, now,
			  gateway_of(in), old, x->by_answer ? "" : " from its start or reload",
			  cause_name(x->plain));
}

SAY_SHARED(next_wrong_peer)
{
	const struct stale *x = in->stale;

	(void)w;
	if (x && x->by_answer)
		words_put(
			out, cap,
			"%s has asked since and got another address: look at how long it keeps addresses and connections",
			gateway_of(in));
	else
		words_put(
			out, cap,
			"reload %s; to follow the name by itself: resolver and a variable in proxy_pass, or server ... resolve",
			gateway_of(in));
}
