/* SPDX-License-Identifier: BSD-2-Clause */
/* See dns.h. */
#include "base/dns.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"

#define HEADER_BYTES 12
#define CLASS_IN     1

struct reader {
	const uint8_t *p;
	size_t len, at;
	bool dry; /* asked for more than there is, or for what cannot be */
};

static uint32_t number(struct reader *r, size_t n)
{
	uint32_t v = 0;

	if (r->dry || r->len - r->at < n) {
		r->dry = true;
		return 0;
	}
	while (n--)
		v = v << 8 | r->p[r->at++];
	return v;
}

struct text {
	char *s; /* NULL: the name is only passed over */
	size_t n;
	bool full;
};

static void put(struct text *t, const char *s, size_t n)
{
	if (!t->s)
		return;
	if (t->full || t->n + n >= DNS_NAME_MAX) {
		t->full = true;
		return;
	}
	memcpy(t->s + t->n, s, n);
	t->n += n;
	t->s[t->n] = '\0';
}

/* As in a zone file (RFC 1035 5.1): what is no plain character of a name gets a backslash. */
static void put_byte(struct text *t, uint8_t c)
{
	char b[8];

	if (c >= 'A' && c <= 'Z')
		c += 'a' - 'A';
	b[0] = (char)c;
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')
		put(t, b, 1);
	else
		put(t, b, (size_t)snprintf(b, sizeof(b), "\\%03u", c));
}

/* Reads the name at r->at, which ends up behind it. */
static void read_name(struct reader *r, struct text *t)
{
	size_t at = r->at, lowest = r->at, after = 0;

	while (!r->dry) {
		uint8_t c;

		if (at >= r->len) {
			r->dry = true;
			return;
		}
		c = r->p[at];
		if (c >= 0xc0) {
			size_t to;

			if (at + 1 >= r->len) {
				r->dry = true;
				return;
			}
			to = (size_t)(c & 0x3f) << 8 | r->p[at + 1];
			after = after ? after : at + 2;
			if (to >= lowest) { /* only what came before: each jump goes further back */
				r->dry = true;
				return;
			}
			at = lowest = to;
			continue;
		}
		if (c > 63 || at + 1 + c > r->len) {
			r->dry = true;
			return;
		}
		at++;
		if (!c)
			break;
		if (t->n)
			put(t, ".", 1);
		for (uint8_t i = 0; i < c; i++)
			put_byte(t, r->p[at + i]);
		at += c;
	}
	r->at = after ? after : at;
}

static void skip_name(struct reader *r)
{
	struct text none = { .s = NULL };

	read_name(r, &none);
}

static void take_addr(struct dns_message *m, uint16_t type, const uint8_t *data, uint32_t ttl)
{
	struct w5_addr *a;

	if (!m->naddrs || ttl < m->ttl_s)
		m->ttl_s = ttl;
	if (m->naddrs == DNS_ADDRS_MAX)
		return;
	a = &m->addrs[m->naddrs++];
	memset(a, 0, sizeof(*a));
	if (type == DNS_TYPE_AAAA) {
		memcpy(a->ip, data, 16);
		return;
	}
	a->ip[10] = a->ip[11] = 0xff;
	memcpy(a->ip + 12, data, 4);
}

static void read_answers(struct dns_message *m, struct reader *r, unsigned n)
{
	while (n && !r->dry) {
		uint16_t type, class, len;
		uint32_t ttl;

		skip_name(r);
		type = (uint16_t)number(r, 2);
		class = (uint16_t)number(r, 2);
		ttl = number(r, 4);
		len = (uint16_t)number(r, 2);
		if (r->dry || r->len - r->at < len)
			return;
		if (class == CLASS_IN &&
		    ((type == DNS_TYPE_A && len == 4) || (type == DNS_TYPE_AAAA && len == 16)))
			take_addr(m, type, r->p + r->at, ttl);
		r->at += len;
		n--;
	}
	m->whole = !n && !r->dry;
}

bool dns_parse(struct dns_message *m, const void *bytes, size_t len)
{
	struct reader r = { .p = bytes, .len = len };
	struct text name = { .s = m->name };
	unsigned flags, questions, answers;

	memset(m, 0, sizeof(*m));
	if (len < HEADER_BYTES)
		return false;
	m->id = (uint16_t)number(&r, 2);
	flags = number(&r, 2);
	questions = number(&r, 2);
	answers = number(&r, 2);
	r.at = HEADER_BYTES;
	m->is_answer = flags & 0x8000;
	m->is_cut = flags & 0x0200;
	m->rcode = flags & 0xf;
	if (flags & 0x7800 || questions > 1) /* no standard query; more is never asked (RFC 9619) */
		return false;
	if (!questions)
		return m->is_answer && m->rcode;
	read_name(&r, &name);
	m->qtype = (uint16_t)number(&r, 2);
	if (number(&r, 2) != CLASS_IN || r.dry || name.full)
		return false;
	if (m->qtype != DNS_TYPE_A && m->qtype != DNS_TYPE_AAAA)
		return false;
	if (!name.n)
		put(&name, ".", 1);
	if (m->is_answer)
		read_answers(m, &r, answers);
	return true;
}

size_t dns_ask(void *buf, size_t cap, uint16_t id, const char *name, uint16_t type)
{
	const uint8_t head[HEADER_BYTES] = { (uint8_t)(id >> 8), (uint8_t)id, 1, 0, 0, 1 };
	const uint8_t tail[] = { 0, (uint8_t)(type >> 8), (uint8_t)type, 0, CLASS_IN };
	size_t n = sizeof(head), len = strlen(name);
	uint8_t *out = buf;

	if (len > 0 && name[len - 1] == '.')
		len--;
	if (!len || len > 253 || sizeof(head) + len + 1 + sizeof(tail) > cap)
		return 0;
	memcpy(out, head, sizeof(head));
	for (size_t i = 0; i < len;) {
		size_t label = strcspn(name + i, ".");

		label = min_size(label, len - i);
		if (!label || label > 63)
			return 0;
		out[n++] = (uint8_t)label;
		memcpy(out + n, name + i, label);
		n += label;
		i += label + 1;
	}
	memcpy(out + n, tail, sizeof(tail));
	return n + sizeof(tail);
}

const char *dns_rcode_text(char text[32], uint8_t rcode)
{
	static const char *const names[] = {
		"NOERROR (no address)",	   "FORMERR (not understood)", "SERVFAIL (server failure)",
		"NXDOMAIN (no such name)", "NOTIMP (not implemented)", "REFUSED (by its rules)",
	};

	if (rcode < ARRAY_SIZE(names))
		snprintf(text, 32, "%s", names[rcode]);
	else
		snprintf(text, 32, "rcode %u", rcode);
	return text;
}
