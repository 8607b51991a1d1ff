/* SPDX-License-Identifier: BSD-2-Clause */
/* See record.h. One row per type: how big it must be and what else must hold. */
#include "source/record.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/util.h"

struct record_row {
	const char *name;
	size_t min, max;			  /* bytes, header included */
	bool (*is_sound)(const struct w5_hdr *h); /* after the size is known; may be NULL */
};

/* Healthy records end inside head[], wherever the kernel side cut them, and keep the
 * lengths of what was cut: they bound the arrays of the zeroed struct w5_leg that the
 * reader copies the record into, not the record. */
static bool leg_is_sound(const struct w5_hdr *h)
{
	const struct w5_leg *l = (const void *)h;

	return l->head_len <= sizeof(l->head) && l->resp_len <= sizeof(l->resp) &&
	       l->role <= W5_ROLE_UPSTREAM && l->phase <= W5_PHASE_RESPONSE &&
	       l->end < W5_END_MAX && l->proto <= W5_PROTO_OTHER;
}

static bool packets_are_sound(const struct w5_hdr *h)
{
	const struct w5_packets *p = (const void *)h;

	uint32_t slots = w5_packets_slots(p), bytes = w5_packets_bytes(p);

	if (slots > W5_PKT_SLOTS_MAX || bytes > W5_PKT_BYTES_MAX ||
	    h->size != W5_PACKETS_SIZE(slots, bytes))
		return false;
	for (uint32_t i = 0; i < slots; i++) {
		if (w5_packets_slot(p, i)->cap > bytes)
			return false;
	}
	return p->role <= W5_ROLE_UPSTREAM;
}

static bool is_terminated(const char *s, size_t cap)
{
	return memchr(s, '\0', cap);
}

static bool listen_is_sound(const struct w5_hdr *h)
{
	const struct w5_listen *l = (const void *)h;

	return is_terminated(l->comm, sizeof(l->comm));
}

static bool gateway_is_sound(const struct w5_hdr *h)
{
	const struct w5_gateway *g = (const void *)h;

	return g->nports <= ARRAY_SIZE(g->ports) && is_terminated(g->comm, sizeof(g->comm)) &&
	       is_terminated(g->cgroup, sizeof(g->cgroup));
}

static bool session_is_sound(const struct w5_hdr *h)
{
	const struct w5_session *s = (const void *)h;

	return is_terminated(s->host, sizeof(s->host)) &&
	       is_terminated(s->kernel, sizeof(s->kernel)) &&
	       is_terminated(s->version, sizeof(s->version));
}

static bool text_is_sound(const struct w5_hdr *h)
{
	const struct w5_text *t = (const void *)h;

	return t->len <= W5_TEXT_MAX && sizeof(*t) + t->len <= h->size && t->dir <= W5_TEXT_OUT &&
	       (t->kind == W5_TEXT_HTTP1 || t->kind == W5_TEXT_FRAME);
}

static bool log_is_sound(const struct w5_hdr *h)
{
	const struct w5_log *l = (const void *)h;

	return l->ntries <= W5_LOG_TRIES && l->head_len <= sizeof(l->head) && l->status < 1000 &&
	       is_terminated(l->code, sizeof(l->code));
}

static bool dns_is_sound(const struct w5_hdr *h)
{
	const struct w5_dns *d = (const void *)h;

	return d->kind && d->kind < W5_DNS_KIND_MAX && d->len <= sizeof(d->data);
}

static bool name_is_sound(const struct w5_hdr *h)
{
	const struct w5_name *n = (const void *)h;

	return n->naddrs <= ARRAY_SIZE(n->addrs) && is_terminated(n->name, sizeof(n->name));
}

static bool limit_is_sound(const struct w5_hdr *h)
{
	const struct w5_limit *l = (const void *)h;

	return l->kind && l->kind < W5_LIMIT_KIND_MAX && l->port_lo <= l->port_hi;
}

static bool killed_is_sound(const struct w5_hdr *h)
{
	const struct w5_killed *k = (const void *)h;

	return is_terminated(k->comm, sizeof(k->comm)) && k->signal && k->signal < 128;
}

static bool host_is_sound(const struct w5_hdr *h)
{
	const struct w5_host *r = (const void *)h;

	return r->nports <= W5_HOST_PORTS && r->nlisteners <= W5_HOST_LISTENERS;
}

static bool unix_is_sound(const struct w5_hdr *h)
{
	const struct w5_unix *u = (const void *)h;

	return u->len <= sizeof(u->path);
}

static bool late_is_sound(const struct w5_hdr *h)
{
	const struct w5_late *r = (const void *)h;

	return h->cookie && r->status < 1000 && r->req_ns <= h->ts_ns;
}

#define EXACT(type) .min = sizeof(type), .max = sizeof(type)
/* clang-format off */
#define LEG .min = W5_LEG_BRIEF, .max = sizeof(struct w5_leg), \
	    .is_sound = leg_is_sound
/* clang-format on */

static const struct record_row records[] = {
	[W5_REC_SESSION] = { .name = "session",
			     EXACT(struct w5_session),
			     .is_sound = session_is_sound },
	[W5_REC_TICK] = { .name = "tick", EXACT(struct w5_hdr) },
	[W5_REC_STATS] = { .name = "stats", EXACT(struct w5_stats) },
	[W5_REC_GATEWAY] = { .name = "gateway",
			     EXACT(struct w5_gateway),
			     .is_sound = gateway_is_sound },
	[W5_REC_LISTEN] = { .name = "listen", EXACT(struct w5_listen), .is_sound = listen_is_sound },
	[W5_REC_EXCHANGE] = { .name = "exchange", LEG },
	[W5_REC_ATTEMPT] = { .name = "attempt", LEG },
	[W5_REC_END] = { .name = "end", LEG },
	[W5_REC_PACKETS] = { .name = "packets",
			     .min = W5_PACKETS_SIZE(1, W5_PKT_BYTES_MIN),
			     .max = W5_PACKETS_MAX,
			     .is_sound = packets_are_sound },
	[W5_REC_OPEN] = { .name = "open", LEG },
	[W5_REC_TEXT] = { .name = "text",
			  .min = sizeof(struct w5_text),
			  .max = sizeof(struct w5_text) + W5_TEXT_MAX,
			  .is_sound = text_is_sound },
	[W5_REC_LATE] = { .name = "late", EXACT(struct w5_late), .is_sound = late_is_sound },
	[W5_REC_LOG] = { .name = "log", EXACT(struct w5_log), .is_sound = log_is_sound },
	[W5_REC_DNS] = { .name = "dns", EXACT(struct w5_dns), .is_sound = dns_is_sound },
	[W5_REC_POOL] = { .name = "pool", EXACT(struct w5_pool) },
	[W5_REC_NAME] = { .name = "name", EXACT(struct w5_name), .is_sound = name_is_sound },
	[W5_REC_LIMIT] = { .name = "limit", EXACT(struct w5_limit), .is_sound = limit_is_sound },
	[W5_REC_UNIX] = { .name = "unix", EXACT(struct w5_unix), .is_sound = unix_is_sound },
	[W5_REC_UNIX_OPEN] = { .name = "unix-open",
			       EXACT(struct w5_unix),
			       .is_sound = unix_is_sound },
	[W5_REC_KILLED] = { .name = "killed", EXACT(struct w5_killed), .is_sound = killed_is_sound },
	[W5_REC_HOST] = { .name = "host", EXACT(struct w5_host), .is_sound = host_is_sound },
	[W5_REC_CAPTURE] = { .name = "capture", EXACT(struct w5_capture) },
};
_Static_assert(W5_LEG_BRIEF % 8 == 0, "the shortest record is aligned");
_Static_assert(ARRAY_SIZE(records) == W5_REC_TYPE_MAX, "every record type has its row");

const char *record_name(unsigned int type)
{
	return type < W5_REC_TYPE_MAX ? records[type].name : NULL;
}

int record_check(const struct w5_hdr *h, size_t avail)
{
	const struct record_row *row;

	if (avail < sizeof(*h) || !record_name(h->type))
		return -EBADMSG;
	row = &records[h->type];
	if (h->size < row->min || h->size > row->max || h->size % 8 || h->size > avail)
		return -EBADMSG;
	return !row->is_sound || row->is_sound(h) ? 0 : -EBADMSG;
}
