/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests for and answers of the kernel's socket dumps (sock_diag(7)). Lengths first: the
 * answers come from the kernel, but a fuzzer and a short read speak here, too.
 */
#include "source/limits_parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define TCP_LISTEN_STATE 10 /* include/net/tcp_states.h */

struct request {
	struct nlmsghdr nl;
	struct inet_diag_req_v2 diag;
	struct nlattr attr;
	struct inet_diag_bc_op code[4];
};
_Static_assert(sizeof(struct request) <= LIMITS_REQUEST_MAX, "the request fits its buffer");

size_t limits_diag_request(void *buf, int family, uint32_t states, uint16_t from, uint16_t to)
{
	struct request r = {
		.nl = { .nlmsg_len = offsetof(struct request, attr),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.diag = { .sdiag_family = (uint8_t)family,
			  .sdiag_protocol = IPPROTO_TCP,
			  .idiag_states = states },
	};

	if (states & 1u << TCP_LISTEN_STATE)
		r.diag.idiag_ext = 1 << (INET_DIAG_SKMEMINFO - 1);
	if (from) {
		/* Jumps in bytes; one beyond the end says no. The port is in the op behind. */
		r.attr = (struct nlattr){ .nla_len = sizeof(r.attr) + sizeof(r.code),
					  .nla_type = INET_DIAG_REQ_BYTECODE };
		r.code[0] = (struct inet_diag_bc_op){ .code = INET_DIAG_BC_S_GE,
						      .yes = 2 * sizeof(r.code[0]),
						      .no = sizeof(r.code) + 4 };
		r.code[1] = (struct inet_diag_bc_op){ .no = from };
		r.code[2] = (struct inet_diag_bc_op){ .code = INET_DIAG_BC_S_LE,
						      .yes = 2 * sizeof(r.code[0]),
						      .no = 2 * sizeof(r.code[0]) + 4 };
		r.code[3] = (struct inet_diag_bc_op){ .no = to };
		r.nl.nlmsg_len = sizeof(r);
	}
	memcpy(buf, &r, r.nl.nlmsg_len);
	return r.nl.nlmsg_len;
}

static void take_addr(struct w5_addr *a, const uint32_t *raw, uint8_t family)
{
	memset(a, 0, sizeof(*a));
	if (family == AF_INET6) {
		memcpy(a->ip, raw, sizeof(a->ip));
	} else if (raw[0]) {
		a->ip[10] = a->ip[11] = 0xff;
		memcpy(a->ip + 12, raw, 4);
	}
}

/* Drops are the ninth number of the socket's memory (SK_MEMINFO_DROPS). */
static uint32_t drops_of(const uint8_t *p, size_t len)
{
	struct nlattr a;
	uint32_t drops;

	while (len >= sizeof(a)) {
		memcpy(&a, p, sizeof(a));
		if (a.nla_len < sizeof(a) || a.nla_len > len)
			return 0;
		if (a.nla_type == INET_DIAG_SKMEMINFO &&
		    a.nla_len >= sizeof(a) + (SK_MEMINFO_DROPS + 1) * sizeof(drops)) {
			memcpy(&drops, p + sizeof(a) + SK_MEMINFO_DROPS * sizeof(drops),
			       sizeof(drops));
			return drops;
		}
		if (NLMSG_ALIGN(a.nla_len) >= len)
			return 0;
		p += NLMSG_ALIGN(a.nla_len);
		len -= NLMSG_ALIGN(a.nla_len);
	}
	return 0;
}

static int take_socket(const uint8_t *p, size_t len, struct limits_socket *s)
{
	struct inet_diag_msg m;

	if (len < sizeof(m))
		return -EBADMSG;
	memcpy(&m, p, sizeof(m));
	if (m.idiag_family != AF_INET && m.idiag_family != AF_INET6)
		return -EBADMSG;
	*s = (struct limits_socket){ .lport = ntohs(m.id.idiag_sport),
				     .rport = ntohs(m.id.idiag_dport),
				     .state = m.idiag_state,
				     .recv_q = m.idiag_rqueue,
				     .send_q = m.idiag_wqueue,
				     .drops = drops_of(p + sizeof(m), len - sizeof(m)) };
	take_addr(&s->local, m.id.idiag_src, m.idiag_family);
	take_addr(&s->remote, m.id.idiag_dst, m.idiag_family);
	return 0;
}

static int kernel_error(const uint8_t *p, size_t len)
{
	int err;

	if (len < sizeof(err))
		return -EBADMSG;
	memcpy(&err, p, sizeof(err));
	return err < 0 && err > -4096 ? err : 0;
}

int limits_diag_parse(const void *buf, size_t len,
		      void (*on_socket)(void *self, const struct limits_socket *s), void *self)
{
	const uint8_t *p = buf;

	while (len) {
		struct limits_socket s;
		struct nlmsghdr h;
		int err;

		if (len < sizeof(h))
			return -EBADMSG;
		memcpy(&h, p, sizeof(h));
		if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > len)
			return -EBADMSG;
		if (h.nlmsg_type == NLMSG_DONE)
			return LIMITS_DUMP_ENDED;
		if (h.nlmsg_type == NLMSG_ERROR) {
			err = kernel_error(p + sizeof(h), h.nlmsg_len - sizeof(h));
			return err ? err : -EBADMSG;
		}
		if (h.nlmsg_type == SOCK_DIAG_BY_FAMILY) {
			err = take_socket(p + sizeof(h), h.nlmsg_len - sizeof(h), &s);
			if (err)
				return err;
			on_socket(self, &s);
		}
		if (NLMSG_ALIGN(h.nlmsg_len) >= len)
			return 0;
		p += NLMSG_ALIGN(h.nlmsg_len);
		len -= NLMSG_ALIGN(h.nlmsg_len);
	}
	return 0;
}
