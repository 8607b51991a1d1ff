/* SPDX-License-Identifier: BSD-2-Clause */
/* DNS messages (RFC 1035) and the records that carry them, for tests. Include after rec.h. */
#ifndef TESTS_LIB_REC_DNS_H
#define TESTS_LIB_REC_DNS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "w5_abi.h"

struct message {
	size_t len;
	uint8_t b[512];
};

static inline void message_put(struct message *m, const void *p, size_t n)
{
	memcpy(m->b + m->len, p, n);
	m->len += n;
}

static inline void message_u16(struct message *m, unsigned v)
{
	message_put(m, (uint8_t[]){ (uint8_t)(v >> 8), (uint8_t)v }, 2);
}

static inline void message_name(struct message *m, const char *name)
{
	while (*name) {
		size_t n = strcspn(name, ".");

		m->b[m->len++] = (uint8_t)n;
		message_put(m, name, n);
		name += n + (name[n] == '.');
	}
	m->b[m->len++] = 0;
}

static inline struct message message_ask(uint16_t id, const char *name, uint16_t type)
{
	struct message m = { .len = 0 };

	message_u16(&m, id);
	message_put(&m, "\x01\0\0\x01\0\0\0\0\0\0", 10);
	message_name(&m, name);
	message_u16(&m, type);
	message_u16(&m, 1);
	return m;
}

static inline struct message message_answer(uint16_t id, const char *name, uint16_t type,
					    unsigned rcode)
{
	struct message m = message_ask(id, name, type);

	m.b[2] = 0x81;
	m.b[3] = (uint8_t)(0x80 | rcode);
	return m;
}

/* One more address, 10.0.3.<last>; its name points back at the question. */
static inline void message_a(struct message *m, unsigned last, uint32_t ttl)
{
	message_put(m, "\xc0\x0c\0\x01\0\x01", 6);
	message_u16(m, ttl >> 16);
	message_u16(m, ttl & 0xffff);
	message_put(m, "\0\x04\x0a\0\x03", 5);
	m->b[m->len++] = (uint8_t)last;
	m->b[7]++;
}

#ifdef TESTS_LIB_REC_H
#define REC_DNS_COOKIE 0x5353

static inline struct w5_dns rec_dns(double t, int kind, const struct message *m)
{
	struct w5_dns d = { .h = { .ts_ns = ms(t),
				   .cookie = REC_DNS_COOKIE,
				   .type = W5_REC_DNS,
				   .size = sizeof(d) },
			    .server = rec_ip(53),
			    .tgid = REC_GW,
			    .tid = REC_GW,
			    .kind = (uint8_t)kind };

	if (m) {
		d.total = (uint16_t)m->len;
		d.len = d.total < W5_DNS_BYTES ? d.total : W5_DNS_BYTES;
		memcpy(d.data, m->b, d.len);
	}
	return d;
}

/* hint: cookie of the downstream conn whose thread asks, 0 = none. */
static inline void rec_ask(struct bench *b, double t, uint16_t id, const char *name, uint16_t type,
			   uint64_t hint)
{
	struct message m = message_ask(id, name, type);
	struct w5_dns d = rec_dns(t, W5_DNS_QUERY, &m);

	d.hint_cookie = hint;
	d.hint_ns = hint ? ms(t - 0.05) : 0;
	engine_feed(b->e, &d.h);
}

/* last: its address, 0 = none. */
static inline void rec_told(struct bench *b, double t, uint16_t id, const char *name, uint16_t type,
			    unsigned rcode, unsigned last)
{
	struct message m = message_answer(id, name, type, rcode);
	struct w5_dns d;

	if (last)
		message_a(&m, last, 30);
	d = rec_dns(t, W5_DNS_ANSWER, &m);
	engine_feed(b->e, &d.h);
}
#endif

#endif
