/* SPDX-License-Identifier: BSD-2-Clause */
/* See hostrows.h: tables of limits, and one writer per shape of row. */
#include "sink/hostrows.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"

struct writer {
	const struct engine_host *h;
	struct host_row *out;
	size_t n, max;
};

static struct host_row *add(struct writer *w)
{
	if (w->n == w->max)
		return NULL;
	w->out[w->n] = (struct host_row){ .percent = -1, .level = HOST_UNKNOWN };
	return &w->out[w->n++];
}

static void put_number(char *out, size_t cap, uint64_t v)
{
	if (v == W5_HOST_UNKNOWN)
		snprintf(out, cap, "?");
	else if (v < 100000)
		snprintf(out, cap, "%llu", (unsigned long long)v);
	else
		text_count(out, cap, v);
}

static enum host_level level_of(uint64_t v, uint64_t warn, uint64_t bad)
{
	return v >= bad ? HOST_BAD : v >= warn ? HOST_WARN : HOST_OK;
}

static void put_share(struct host_row *r, uint64_t now, uint64_t max, unsigned warn, unsigned bad)
{
	put_number(r->now, sizeof(r->now), now);
	put_number(r->limit, sizeof(r->limit), max);
	if (now == W5_HOST_UNKNOWN || max == W5_HOST_UNKNOWN || !max)
		return;
	r->percent = now >= max * 10 ? 999 : (int)(now * 100 / max);
	r->level = level_of((uint64_t)r->percent, warn, bad);
}

/* ---- shares of a limit ---- */

static const struct share {
	enum w5_host_value now, max;
	int dropped; /* enum w5_host_value of what is lost there, or -1 */
	unsigned int warn, bad;
	bool hard;
	const char *what, *brief, *means, *todo;
} shares[] = {
	{ W5_HOST_FILES, W5_HOST_FILES_MAX, -1, 80, 95, true, "open files", "files",
	  "Every connection takes a file, both legs one each. At the limit the gateway can neither "
	  "accept nor connect.",
	  "raise it (nginx: worker_rlimit_nofile, HAProxy: ulimit-n, systemd: LimitNOFILE); look for "
	  "connections that never close" },
	{ W5_HOST_CONNTRACK, W5_HOST_CONNTRACK_MAX, W5_HOST_CONNTRACK_DROPS, 80, 95, true,
	  "tracked connections (conntrack)", "conntrack",
	  "The firewall follows every connection. When its table is full, packets of new ones are "
	  "dropped: connects time out.",
	  "raise net.netfilter.nf_conntrack_max, shorten its timeouts, or do not track this "
	  "traffic (notrack)" },
	{ W5_HOST_TIME_WAIT, W5_HOST_TIME_WAIT_MAX, -1, 80, 95, false, "sockets in TIME_WAIT",
	  "TIME_WAIT",
	  "Who closes first keeps the connection's ports for a minute. Many of them towards one "
	  "upstream use up the local ports.",
	  "let upstream connections live (keep-alive in the gateway's upstream block)" },
};

static void put_shares(struct writer *w)
{
	const struct w5_host *h = &w->h->now;

	for (size_t i = 0; i < ARRAY_SIZE(shares); i++) {
		const struct share *s = &shares[i];
		bool is_known = h->v[s->now] != W5_HOST_UNKNOWN; /* conntrack may not be in use */
		struct host_row *r = is_known ? add(w) : NULL;

		if (!r)
			continue;
		snprintf(r->what, sizeof(r->what), "%s", s->what);
		if (s->now == W5_HOST_FILES && h->tgid)
			snprintf(r->what, sizeof(r->what), "%s of process %u", s->what, h->tgid);
		put_share(r, h->v[s->now], h->v[s->max], s->warn, s->bad);
		r->hard = s->hard;
		r->brief = s->brief;
		r->means = s->means;
		r->todo = s->todo;
		if (s->dropped < 0 || h->v[s->dropped] == W5_HOST_UNKNOWN)
			continue;
		r->has_rate = true;
		r->rate = w->h->rate[s->dropped];
		if (r->rate > 0)
			r->level = HOST_BAD;
	}
}

/* ---- listeners, local ports ---- */

static void put_listeners(struct writer *w)
{
	const struct w5_host *h = &w->h->now;
	char where[TEXT_ENDPOINT_MAX];

	for (size_t i = 0; i < h->nlisteners; i++) {
		const struct w5_host_listener *l = &h->listeners[i];
		struct host_row *r = add(w);

		if (!r)
			return;
		text_listener(where, sizeof(where), &l->ip, l->port);
		snprintf(r->what, sizeof(r->what), "accept queue %s%s", where,
			 l->flags & W5_LISTENER_OWN ? "" : " (other)");
		put_share(r, l->queue, l->max, 50, 100);
		r->hard = true;
		r->brief = "accept queue";
		r->has_rate = true;
		r->rate = w->h->drop_rate[i];
		if (r->rate > 0)
			r->level = HOST_BAD;
		r->means = "Connections wait here until the process accepts them. When it is full, "
			   "attempts are dropped and tried again after 1 s, 3 s, 7 s.";
		r->todo = "find out why accepting is slow (CPU, blocked workers); then raise "
			  "net.core.somaxconn and the listen backlog together";
	}
}

static void put_ports(struct writer *w)
{
	const struct w5_host *h = &w->h->now;
	char where[TEXT_ENDPOINT_MAX];

	for (size_t i = 0; i < h->nports; i++) {
		struct host_row *r = add(w);

		if (!r)
			return;
		text_endpoint(where, sizeof(where), &h->ports[i].ip, h->ports[i].port);
		snprintf(r->what, sizeof(r->what), "local ports to %s", where);
		put_share(r, h->ports[i].used, h->v[W5_HOST_PORTS_MAX], 70, 90);
		r->brief = "local ports";
		r->hard = true;
		r->means =
			"Each connection to an upstream takes a local port of its own, TIME_WAIT "
			"included. Without a free one a connect fails at once.";
		r->todo =
			"turn on upstream keep-alive, widen net.ipv4.ip_local_port_range, or give "
			"the upstream more addresses";
	}
}

/* ---- counters ---- */

static const struct counter {
	enum w5_host_value value;
	const char *what, *means, *todo;
} counters[] = {
	{ W5_HOST_LISTEN_OVERFLOWS, "accept queues that were full (all)",
	  "Connections dropped because a listener's accept queue was full, anywhere in this network "
	  "namespace.",
	  "see the accept queues in this list" },
	{ W5_HOST_REQUEST_DROPS, "SYNs dropped (half-open queue full)",
	  "More handshakes are half open than the kernel keeps: a flood, or ACKs that are lost.",
	  "raise net.ipv4.tcp_max_syn_backlog, keep net.ipv4.tcp_syncookies=1" },
	{ W5_HOST_SOFTNET_DROPS, "packets dropped before the stack",
	  "A CPU's queue of received packets was full (host wide).",
	  "raise net.core.netdev_max_backlog, spread interrupts over CPUs (RSS, RPS)" },
};

static void put_counters(struct writer *w)
{
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
		uint64_t v = w->h->now.v[counters[i].value];
		struct host_row *r = add(w);

		if (!r)
			return;
		snprintf(r->what, sizeof(r->what), "%s", counters[i].what);
		put_number(r->now, sizeof(r->now), v);
		r->of_host = counters[i].value == W5_HOST_SOFTNET_DROPS;
		r->means = counters[i].means;
		r->todo = counters[i].todo;
		if (v == W5_HOST_UNKNOWN)
			continue;
		r->has_rate = true;
		r->rate = w->h->rate[counters[i].value];
		r->level = r->rate > 0 ? HOST_BAD : HOST_OK;
	}
}

/* ---- pressure ---- */

static const struct stall {
	enum w5_host_value own, host;
	unsigned int warn, bad; /* per cent of time */
	const char *what, *means, *todo;
} stalls[] = {
	{ W5_HOST_OWN_CPU, W5_HOST_CPU, 25, 60, "waiting for CPU",
	  "Share of the last 10 s in which some task was ready to run and got no CPU.",
	  "see who uses it (top); a quota of the cgroup (cpu.max) counts, too" },
	{ W5_HOST_OWN_MEMORY_FULL, W5_HOST_MEMORY_FULL, 5, 20, "waiting for memory",
	  "Share of the last 10 s in which every task waited for memory to be freed or read back.",
	  "give it more memory (memory.max, memory.high), or less to do" },
	{ W5_HOST_OWN_IO, W5_HOST_IO, 20, 50, "waiting for disks",
	  "Share of the last 10 s in which some task waited for a disk.",
	  "see who uses it (iotop); temporary files and logs of the gateway may be on it" },
};

static void put_stall(struct writer *w, const struct stall *s, enum w5_host_value value,
		      const char *whose)
{
	uint64_t v = w->h->now.v[value];
	struct host_row *r = v == W5_HOST_UNKNOWN ? NULL : add(w);

	if (!r)
		return;
	snprintf(r->what, sizeof(r->what), "%s (%s)", s->what, whose);
	snprintf(r->now, sizeof(r->now), "%.1f%%", (double)min_u64(v, 10000) / 100);
	r->level = level_of(v, s->warn * 100, s->bad * 100);
	r->of_host = value == s->host;
	r->means = s->means;
	r->todo = s->todo;
}

static void put_stalls(struct writer *w)
{
	for (size_t i = 0; i < ARRAY_SIZE(stalls); i++) {
		put_stall(w, &stalls[i], stalls[i].own, "gateway");
		put_stall(w, &stalls[i], stalls[i].host, "host");
	}
}

/* Rows keep their order otherwise: few, so an insertion sort will do. */
static void trouble_first(struct host_row *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct host_row r = v[i];
		size_t k = i;

		for (; k && r.level >= HOST_WARN && v[k - 1].level < r.level; k--)
			v[k] = v[k - 1];
		v[k] = r;
	}
}

size_t host_rows(struct host_row *out, size_t max, const struct engine_host *h)
{
	struct writer w = { .h = h, .out = out, .max = max };

	put_shares(&w);
	put_listeners(&w);
	put_ports(&w);
	put_counters(&w);
	put_stalls(&w);
	trouble_first(out, w.n);
	return w.n;
}

bool host_worst(struct host_row *out, const struct engine_host *h)
{
	struct host_row rows[HOST_ROWS_MAX];
	size_t n = host_rows(rows, ARRAY_SIZE(rows), h);
	const struct host_row *worst = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct host_row *r = &rows[i];

		if (!r->hard || r->level < HOST_WARN)
			continue;
		if (!worst || r->level > worst->level ||
		    (r->level == worst->level && r->percent > worst->percent))
			worst = r;
	}
	if (worst)
		*out = *worst;
	return worst;
}
