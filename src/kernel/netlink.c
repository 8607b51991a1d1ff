// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/util.h"

#define REPLY_BYTES 32768
#define WAIT_MS	    200 /* the kernel answers in the call itself; never hang on it */

struct message {
	struct nlmsghdr h;
	char body[252];
};

static void *append(struct message *m, const void *data, size_t len)
{
	char *at = (char *)m + NLMSG_ALIGN(m->h.nlmsg_len);

	memcpy(at, data, len);
	m->h.nlmsg_len = (uint32_t)(NLMSG_ALIGN(m->h.nlmsg_len) + len);
	return at;
}

static void put(struct message *m, unsigned short type, const void *data, size_t len)
{
	struct rtattr a = { .rta_len = (unsigned short)RTA_LENGTH(len), .rta_type = type };

	append(m, &a, sizeof(a));
	append(m, data, len);
}

static int ask(int protocol, const struct message *m)
{
	w5_auto(closep) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	const struct timeval wait = { .tv_usec = WAIT_MS * 1000 };

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (send(fd, m, m->h.nlmsg_len, 0) < 0)
		return -errno;
	return take_fd(&fd);
}

static bool is_zero(const struct w5_addr *a)
{
	static const struct w5_addr zero, zero_v4 = { .ip = { [10] = 0xff, [11] = 0xff } };

	return !memcmp(a, &zero, sizeof(zero)) || !memcmp(a, &zero_v4, sizeof(zero_v4));
}

static bool is_v4(const struct w5_addr *a)
{
	return IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)a);
}

static bool is_link_local(const struct w5_addr *a)
{
	return a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80;
}

/* ---- routes ---- */

static void route_question(struct message *m, const struct w5_addr *to, uint16_t port,
			   const struct w5_addr *from, const struct w5_route_key *how)
{
	struct rtmsg rt = { .rtm_family = is_v4(to) ? AF_INET : AF_INET6 };
	size_t skip = is_v4(to) ? 12 : 0, len = sizeof(*to) - skip;
	uint8_t tcp = IPPROTO_TCP;
	uint16_t dport = htons(port);

	rt.rtm_dst_len = (unsigned char)(len * 8);
	rt.rtm_src_len = is_zero(from) ? 0 : (unsigned char)(len * 8);
	memset(m, 0, sizeof(*m));
	m->h.nlmsg_len = sizeof(m->h);
	m->h.nlmsg_type = RTM_GETROUTE;
	m->h.nlmsg_flags = NLM_F_REQUEST;
	append(m, &rt, sizeof(rt));
	put(m, RTA_DST, to->ip + skip, len);
	if (rt.rtm_src_len)
		put(m, RTA_SRC, from->ip + skip, len);
	if (how->ifindex)
		put(m, RTA_OIF, &how->ifindex, sizeof(how->ifindex));
	if (how->mark)
		put(m, RTA_MARK, &how->mark, sizeof(how->mark));
	put(m, RTA_UID, &how->uid, sizeof(how->uid));
	put(m, RTA_IP_PROTO, &tcp, sizeof(tcp));
	put(m, RTA_DPORT, &dport, sizeof(dport));
}

int netlink_route_error(const struct w5_addr *to, uint16_t port, const struct w5_addr *from,
			const struct w5_route_key *how)
{
	w5_auto(closep) int fd = -1;
	struct message m;
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char rest[2048];
	} reply;
	ssize_t n;

	if (is_link_local(to) && !how->ifindex)
		return 0; /* its interface was named in connect() alone */
	route_question(&m, to, port, from, how);
	fd = ask(NETLINK_ROUTE, &m);
	n = fd < 0 ? -1 : recv(fd, &reply, sizeof(reply), 0);
	if (n < (ssize_t)(sizeof(reply.h) + sizeof(reply.e)) || reply.h.nlmsg_type != NLMSG_ERROR)
		return 0;
	switch (-reply.e.error) {
	case ENETUNREACH:  /* no route */
	case EHOSTUNREACH: /* of type unreachable */
	case EACCES:	   /* prohibit */
	case EINVAL: /* blackhole */ return -reply.e.error;
	default: return 0; /* it did not like the question */
	}
}

/* ---- sockets ---- */

static void sockets_question(struct message *m, const struct w5_addr *to, uint16_t port)
{
	size_t skip = is_v4(to) ? 12 : 0, len = sizeof(*to) - skip;
	struct inet_diag_req_v2 req = { .sdiag_family = is_v4(to) ? AF_INET : AF_INET6,
					.sdiag_protocol = IPPROTO_TCP,
					.idiag_states = ~(1u << TCP_LISTEN) };
	struct {
		struct inet_diag_bc_op op;
		struct inet_diag_hostcond cond;
		uint8_t addr[16];
	} only = { 0 };
	size_t size = offsetof(__typeof__(only), addr) + len;

	only.op.code = INET_DIAG_BC_D_COND;
	only.op.yes = (unsigned char)size;
	only.op.no = (unsigned short)(size + sizeof(only.op)); /* beyond the end: not this one */
	only.cond.family = req.sdiag_family;
	only.cond.prefix_len = (unsigned char)(len * 8);
	only.cond.port = port;
	memcpy(only.addr, to->ip + skip, len);
	memset(m, 0, sizeof(*m));
	m->h.nlmsg_len = sizeof(m->h);
	m->h.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	m->h.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	append(m, &req, sizeof(req));
	put(m, INET_DIAG_REQ_BYTECODE, &only, size);
}

/* False: that was the last of them. */
static bool count_some(struct netlink_sockets *n, const char *buf, size_t len, int *err)
{
	for (const struct nlmsghdr *h = (const void *)buf; NLMSG_OK(h, len);
	     h = NLMSG_NEXT(h, len)) {
		const struct inet_diag_msg *s = NLMSG_DATA(h);

		if (h->nlmsg_type == NLMSG_DONE)
			return false;
		if (h->nlmsg_type == NLMSG_ERROR) {
			*err = h->nlmsg_len >= NLMSG_LENGTH(sizeof(struct nlmsgerr))
				       ? ((const struct nlmsgerr *)NLMSG_DATA(h))->error
				       : -EBADMSG;
			return false;
		}
		if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*s)))
			continue;
		n->all++;
		n->waiting += s->idiag_state == TCP_TIME_WAIT;
	}
	return true;
}

int netlink_count_sockets(struct netlink_sockets *n, const struct w5_addr *to, uint16_t port)
{
	w5_auto(closep) int fd = -1;
	w5_auto(freep) char *buf = malloc(REPLY_BYTES);
	struct message m;
	ssize_t len;
	int err = 0;

	*n = (struct netlink_sockets){ 0 };
	if (!buf)
		return -ENOMEM;
	sockets_question(&m, to, port);
	fd = ask(NETLINK_SOCK_DIAG, &m);
	if (fd < 0)
		return fd;
	do {
		len = recv(fd, buf, REPLY_BYTES, 0);
		if (len <= 0)
			return len ? -errno : -ENODATA;
	} while (count_some(n, buf, (size_t)len, &err));
	return err;
}
