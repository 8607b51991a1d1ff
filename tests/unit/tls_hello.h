/* SPDX-License-Identifier: BSD-2-Clause */
/* Handshakes for tests of causes. */
#ifndef TESTS_UNIT_TLS_HELLO_H
#define TESTS_UNIT_TLS_HELLO_H

#include "../lib/explain.h"
#include "../lib/hello.h"

#define FINISHED 80 /* bytes of ChangeCipherSpec and Finished, TLS 1.3 with SHA-384 */

static const uint16_t both[] = { 0x0304, 0x0303, 0 };

static inline struct w5_leg hello_of(const char *sni, const char *alpn, const uint16_t *versions)
{
	struct w5_leg l = rec_up(U, 1000.1, "GET", "/", 18, 1);
	struct hello c = hello_client(sni, alpn, versions);

	l.h.type = W5_REC_END;
	l.proto = W5_PROTO_TLS;
	l.flags = W5_F_HANDSHAKE | W5_F_HINT_OPEN;
	l.nr = 0;
	l.rport = 8443;
	memcpy(l.head, c.b, c.len);
	l.head_len = (uint16_t)c.len;
	l.req_bytes = (uint32_t)c.len;
	l.last_ns = l.req_ns;
	rec_acked(&l);
	return l;
}

/* Its ClientHello is sent, and acknowledged. */
static inline struct w5_leg asked(void)
{
	return hello_of("shop.example", NULL, both);
}

static inline void answer(struct w5_leg *l, const void *bytes, size_t len, double t)
{
	rec_resp(l, bytes, len, (uint32_t)len);
	l->phase = W5_PHASE_RESPONSE;
	l->resp_ns = l->last_ns = ms(t);
	l->data_ttl = 63;
}

/* ... and the server's first flight is here. */
static inline struct w5_leg greeted(void)
{
	struct w5_leg l = asked();
	struct hello v = hello_server(0x0304);

	answer(&l, v.b, v.len, 1000.5);
	l.resp_bytes = 1800;
	return l;
}

/* The gateway's next flight, of so many bytes, is sent as well. */
static inline struct w5_leg second_flight(uint32_t bytes)
{
	struct w5_leg l = asked();

	l.req_ns = l.req_last_ns = l.last_ns = ms(1001);
	l.idle_ns = 400000;
	l.data_ttl = 63;
	l.req_bytes = bytes;
	rec_acked(&l);
	return l;
}

#endif
